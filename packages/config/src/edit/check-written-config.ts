import type { ConfigIssue } from "../config-issue.ts";
import type { Env } from "../env.ts";
import type { JsonObject } from "../json.ts";
import { substituteVariables } from "../substitute.ts";
import { expandWritten } from "./expand-written.ts";

/** What is wrong with a config that is about to be written to a file. */
export async function checkWrittenConfig(
  file: string,
  config: JsonObject,
  env: Env,
): Promise<readonly ConfigIssue[]> {
  const expanded = await expandWritten(file, config, env);
  if (!expanded.ok) return [expanded.issue];
  const { validateConfig } = await import("../schema/validate.ts");
  const validation = validateConfig(substituteVariables(expanded.value, env).value);
  return validation.ok ? [] : validation.issues;
}
