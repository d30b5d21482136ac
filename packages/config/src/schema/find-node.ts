import { parseConfigPath } from "../edit/config-path.ts";
import type { Step } from "../include/located-value.ts";
import type { ConfigNode } from "./config-node.ts";
import { configSchema } from "./config-schema.ts";

/** A place in the tree, with the nodes above it, the root first. */
export type NodeChain = readonly [ConfigNode, ...ConfigNode[]];

/**
 * The nodes on the way to a path; `undefined` where the schema knows no such path.
 *
 * @param path steps, or a dotted path such as `agents.list[0].id`.
 */
export function findNodes(path: string | readonly Step[]): NodeChain | undefined {
  const steps = typeof path === "string" ? parseConfigPath(path) : path;
  const chain: [ConfigNode, ...ConfigNode[]] = [configSchema];
  let node: ConfigNode = configSchema;
  for (const step of steps) {
    const child = childOf(node, step);
    if (child === undefined) return undefined;
    chain.push(child);
    node = child;
  }
  return chain;
}

/** What a node says of one key or position below it. */
export function childOf(node: ConfigNode, step: Step): ConfigNode | undefined {
  switch (node.kind) {
    case "section":
      return sectionChild(node, String(step));
    case "list":
      return typeof step === "number" ? node.item : undefined;
    case "either":
      return node.options.map((option) => childOf(option, step)).find(Boolean);
    case "any":
      return node;
    default:
      return undefined;
  }
}

function sectionChild(
  { keys, rest }: Extract<ConfigNode, { kind: "section" }>,
  key: string,
): ConfigNode | undefined {
  return Object.hasOwn(keys, key) ? keys[key] : rest;
}
