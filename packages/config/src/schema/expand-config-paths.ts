import { isObject } from "../json.ts";
import { expandHome } from "../paths.ts";
import type { ConfigNode } from "./config-node.ts";
import { configSchema, type OpenClawConfig } from "./config-schema.ts";
import { childOf } from "./find-node.ts";

/**
 * The same config with the home directory in place of a leading `~`, in every key that holds a path.
 *
 * @param config a validated config.
 */
export function expandConfigPaths(config: OpenClawConfig, home: string): OpenClawConfig {
  // Strings stay strings, and everything else is as it was.
  return expanded(configSchema, config, home) as OpenClawConfig;
}

function expanded(node: ConfigNode | undefined, value: unknown, home: string): unknown {
  if (node === undefined) return value;
  if (typeof value === "string") return node.isPath === true ? expandHome(value, home) : value;
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => expanded(childOf(node, index), item, home));
  }
  if (!isObject(value)) return value;
  const members = Object.entries(value).map(([key, item]): [string, unknown] => [
    key,
    expanded(childOf(node, key), item, home),
  ]);
  return Object.fromEntries(members);
}
