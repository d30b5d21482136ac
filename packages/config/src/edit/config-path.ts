import { ConfigError } from "../config-error.ts";
import { isObject } from "../json.ts";

/** A step of a path: the name of a member, or the position of an item in a list. */
export type PathKey = string | number;

/** The keys that lead to a value, from the root. */
export type ConfigPath = readonly PathKey[];

/**
 * Reads a path as people write it: keys with dots between them, `[2]` for the third item of a list,
 * and a backslash before a dot, a bracket or a backslash that belongs to a key:
 * `agents.list[0].name`, `channels.my\.channel`.
 *
 * @throws {@link ConfigError} `INVALID_EDIT` for an empty key, a bracket without its other half, and
 * an index that is no whole number
 */
export function parseConfigPath(text: string): ConfigPath {
  const keys: PathKey[] = [];
  let at = 0;
  while (at < text.length || keys.length === 0) {
    if (text.charAt(at) === "[") {
      const index = /^\[(0|[1-9]\d{0,8})\](?=[.[]|$)/u.exec(text.slice(at));
      if (index === null) throw badPath(text);
      keys.push(Number(index[1]));
      at += index[0].length;
    } else {
      const [written = ""] = /^(?:\\[\s\S]|[^\\.[\]])*/u.exec(text.slice(at)) ?? [];
      if (written === "") throw badPath(text);
      keys.push(written.replaceAll(/\\([\s\S])/gu, "$1"));
      at += written.length;
    }
    if (text.charAt(at) === ".") {
      at += 1;
      if (at === text.length || text.charAt(at) === "[") throw badPath(text);
    } else if (at < text.length && text.charAt(at) !== "[") throw badPath(text);
  }
  return keys;
}

/** Writes a path so that {@link parseConfigPath} reads it back. */
export function formatConfigPath(path: ConfigPath): string {
  return path
    .map((key, index) => {
      if (typeof key === "number") return `[${key}]`;
      return `${index === 0 ? "" : "."}${key.replaceAll(/[\\.[\]]/gu, String.raw`\$&`)}`;
    })
    .join("");
}

/** The value at a path; `undefined` where it leads nowhere. A list is also asked by numerals. */
export function valueAtPath(root: unknown, path: ConfigPath): unknown {
  let value = root;
  for (const key of path) {
    if (Array.isArray(value)) value = value[Number(key)] as unknown;
    else if (isObject(value) && Object.hasOwn(value, key)) value = value[key];
    else return undefined;
  }
  return value;
}

function badPath(text: string): ConfigError {
  return new ConfigError("INVALID_EDIT", `${JSON.stringify(text)} is no path of a config key.`, {
    hint: String.raw`Write gateway.port, agents.list[0].name, or channels.my\.channel where a key has a dot in it.`,
  });
}
