import { ConfigError } from "../config-error.ts";
import type { Env } from "../env.ts";
import { isObject, type JsonObject } from "../json.ts";
import { type ConfigPath, formatConfigPath, valueAtPath } from "./config-path.ts";
import { expandWritten, hasInclude } from "./expand-written.ts";

/** A change of the config as it stands in the file itself. */
export interface WrittenChange {
  readonly before: JsonObject;
  readonly paths: readonly ConfigPath[];
  readonly env: Env;
}

/**
 * Sees to it that no key is changed here that comes from an included file.
 *
 * @throws {@link ConfigError} `CONFIG_INCLUDED` with the file to change instead
 */
export async function assertWritten(
  file: string,
  { before, paths, env }: WrittenChange,
): Promise<void> {
  if (!hasInclude(before)) return;
  const expanded = await expandWritten(file, before, env);
  // What cannot be included now is refused by the check of the result.
  const whole = expanded.ok ? expanded.value : undefined;
  for (const path of paths) {
    const includes = includesAbove(before, path, whole);
    if (includes === undefined) continue;
    throw new ConfigError(
      "CONFIG_INCLUDED",
      `${formatConfigPath(path)} comes from ${includes}, which ${file} includes.`,
      { hint: "Nothing was written. Change the key in that file." },
    );
  }
}

/** The files that the value at a path comes from, unless it stands in the file itself or nowhere. */
function includesAbove(config: unknown, path: ConfigPath, whole: unknown): string | undefined {
  let value: unknown = config;
  for (const [depth, key] of path.entries()) {
    if (!isObject(value)) return undefined;
    const files = value["$include"];
    const isElsewhere = key !== "$include" && files !== undefined && !Object.hasOwn(value, key);
    if (isElsewhere && valueAtPath(whole, path.slice(0, depth + 1)) !== undefined) {
      return (Array.isArray(files) ? files : [files]).map(String).join(", ");
    }
    value = value[key];
  }
  return undefined;
}
