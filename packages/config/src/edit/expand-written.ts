import type { ConfigIssue } from "../config-issue.ts";
import type { Env } from "../env.ts";
import { isObject, type JsonObject } from "../json.ts";
import { envHome } from "../paths.ts";
import { formatConfigPath } from "./config-path.ts";

/** A config with what it includes, or why that cannot be had. */
export type ExpandedWritten =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly issue: ConfigIssue };

/** Puts into a config, as it is written in `file`, what it includes from others. */
export async function expandWritten(
  file: string,
  config: JsonObject,
  env: Env,
): Promise<ExpandedWritten> {
  if (!hasInclude(config)) return { ok: true, value: config };
  const [{ expandIncludes }, { includeRoots }] = await Promise.all([
    import("../include/expand-includes.ts"),
    import("../include/include-files.ts"),
  ]);
  const expansion = await expandIncludes(
    file,
    config,
    includeRoots([file, file], env, envHome(env)),
  );
  if (expansion.ok) return { ok: true, value: expansion.expanded.value };
  const { at, message, issue } = expansion;
  const within = issue === undefined ? "" : `: ${issue.message}`;
  return {
    ok: false,
    issue: { kind: "include", path: formatConfigPath(at.steps), message: message + within },
  };
}

/** Whether there is an `$include` anywhere. */
export function hasInclude(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasInclude);
  if (!isObject(value)) return false;
  return Object.hasOwn(value, "$include") || Object.values(value).some(hasInclude);
}
