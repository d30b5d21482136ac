import { ConfigError } from "../config-error.ts";
import type { Env } from "../env.ts";
import { isObject, type JsonObject } from "../json.ts";
import { type ConfigPath, formatConfigPath } from "./config-path.ts";

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
export async function assertWritten(file: string, { before, paths }: WrittenChange): Promise<void> {
  for (const path of paths) {
    const includes = includesAbove(before, path);
    if (includes === undefined) continue;
    throw new ConfigError(
      "CONFIG_INCLUDED",
      `${formatConfigPath(path)} comes from ${includes}, which ${file} includes.`,
      { hint: "Nothing was written. Change the key in that file." },
    );
  }
  return Promise.resolve();
}

/** The files that the value at a path comes from, unless it stands in the file itself. */
function includesAbove(config: unknown, path: ConfigPath): string | undefined {
  let value: unknown = config;
  for (const key of path) {
    if (!isObject(value)) return undefined;
    const files = value["$include"];
    if (key !== "$include" && files !== undefined && !Object.hasOwn(value, key)) {
      return (Array.isArray(files) ? files : [files]).map(String).join(", ");
    }
    value = value[key];
  }
  return undefined;
}
