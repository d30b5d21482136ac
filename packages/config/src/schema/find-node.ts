import type { ConfigNode } from "./config-node.ts";
import { configSchema } from "./config-schema.ts";

/** One step of a path: a key, or the position in a list. */
export type Step = string | number;

/** A place in the tree, with the nodes above it, the root first. */
export type NodeChain = readonly [ConfigNode, ...ConfigNode[]];

/**
 * The nodes on the way to a path; `undefined` where the schema knows no such path.
 *
 * @param path steps, or a dotted path such as `agents.list[0].id`.
 */
export function findNodes(path: string | readonly Step[]): NodeChain | undefined {
  const steps = typeof path === "string" ? parsePath(path) : path;
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

/** The steps of a dotted path; positions are written as `[2]`. A key that has a dot cannot be said. */
export function parsePath(path: string): Step[] {
  return [...path.matchAll(/\[(\d+)\]|[^.[\]]+/gu)].map(([word, position]) =>
    position === undefined ? word : Number(position),
  );
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
