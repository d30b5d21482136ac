import type { ConfigIssue } from "../config-issue.ts";
import type { Env } from "../env.ts";
import type { JsonObject } from "../json.ts";
import { validateConfig } from "../schema/validate.ts";
import { substituteVariables } from "../substitute.ts";

/** What is wrong with a config that is about to be written to a file. */
export async function checkWrittenConfig(
  _file: string,
  config: JsonObject,
  env: Env,
): Promise<readonly ConfigIssue[]> {
  const validation = validateConfig(substituteVariables(config, env).value);
  return Promise.resolve(validation.ok ? [] : validation.issues);
}
