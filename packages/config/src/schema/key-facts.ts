import { parseConfigPath } from "../edit/config-path.ts";
import type { Step } from "../include/located-value.ts";
import { isObject } from "../json.ts";
import type { ConfigNode, ReloadKind } from "./config-node.ts";
import type { OpenClawConfig } from "./config-schema.ts";
import { configSchema } from "./config-schema.ts";
import { findNodes } from "./find-node.ts";

/** Names that speak of a secret, for keys of which the schema knows nothing. */
const SECRET_NAME =
  /token|password|passwd|secret|api_?key|private_?key|credential|authorization|cookie/iu;

/**
 * What a running Gateway has to do when the value at a path changes. For a path that the schema does
 * not know, what holds for the nearest section around it.
 *
 * @param path steps, or a dotted path such as `gateway.auth.token`.
 */
export function reloadKind(path: string | readonly Step[]): ReloadKind {
  const steps = typeof path === "string" ? parseConfigPath(path) : path;
  for (let length = steps.length; length >= 0; length -= 1) {
    const chain = findNodes(steps.slice(0, length));
    if (chain !== undefined) return chain.findLast((node) => node.reload)?.reload ?? "restart";
  }
  return "restart";
}

/**
 * Whether the value at a path must not be shown. Where the schema leaves the key to somebody else, the
 * name decides.
 *
 * @param path steps, or a dotted path such as `gateway.auth.token`.
 */
export function isSecretPath(path: string | readonly Step[]): boolean {
  const steps = typeof path === "string" ? parseConfigPath(path) : path;
  const chain = findNodes(steps);
  if (chain?.some((node) => node.isSecret)) return true;
  if (chain !== undefined && chain.at(-1)?.kind !== "any") return false;
  return steps.some((step) => typeof step === "string" && SECRET_NAME.test(step));
}

/**
 * Whether a list is there to keep somebody out, or is within one that is, so that nothing may be missing
 * in it.
 *
 * @param path dotted, as of an unresolved reference.
 */
export function isRestriction(path: string): boolean {
  try {
    return findNodes(path)?.some((node) => node.isRestriction) ?? false;
  } catch {
    // A name with a dot or a bracket in it is one that the user chose.
    return false;
  }
}

/** The default of every key that has one, as a config. The caller may change it. */
export function configDefaults(): OpenClawConfig {
  return applyDefaults({});
}

/**
 * A config in which every key that is missing has its default, where it has one that depends on nothing
 * else. The given config stays as it was.
 *
 * @param config a validated config.
 */
export function applyDefaults(config: OpenClawConfig): OpenClawConfig {
  // The schema maps a config to a config.
  return filled(configSchema, config, true) as OpenClawConfig;
}

function filled(node: ConfigNode, value: unknown, isCounting: boolean): unknown {
  if (value === undefined && isCounting && node.default !== undefined) {
    return structuredClone(node.default);
  }
  switch (node.kind) {
    case "section":
      return filledSection(node, value, isCounting);
    case "list":
      return Array.isArray(value)
        ? value.map((item: unknown) => filled(node.item, item, isCounting))
        : value;
    default:
      return value;
  }
}

function filledSection(
  { keys, rest, defaults }: Extract<ConfigNode, { kind: "section" }>,
  value: unknown,
  isCounting: boolean,
): unknown {
  if (value !== undefined && !isObject(value)) return value;
  if (value === undefined && defaults !== undefined) return undefined;
  const isCountingHere = isCounting && defaults !== "elsewhere";
  const written = value ?? {};
  const named = Object.keys(keys).map((key): [string, unknown] => [
    key,
    filled(
      keys[key] as ConfigNode,
      Object.hasOwn(written, key) ? written[key] : undefined,
      isCountingHere,
    ),
  ]);
  const others = Object.entries(written)
    .filter(([key]) => !Object.hasOwn(keys, key))
    .map(([key, item]): [string, unknown] => [
      key,
      rest === undefined ? item : filled(rest, item, isCountingHere),
    ]);
  const members = [...named, ...others].filter(([, item]) => item !== undefined);
  return members.length === 0 && value === undefined ? undefined : Object.fromEntries(members);
}
