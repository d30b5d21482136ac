import { joinPath } from "../json.ts";
import type { ConfigNode } from "./config-node.ts";

/**
 * Dotted paths of all keys that have one of their own, sections included. What is in lists, and below
 * names that the user chooses, is left out.
 */
export function knownKeys(node: ConfigNode, path = ""): string[] {
  if (node.kind !== "section") return [];
  return Object.entries(node.keys).flatMap(([key, child]) => {
    if (child.isElsewhere) return [];
    const childPath = joinPath(path, key);
    return [childPath, ...knownKeys(child, childPath)];
  });
}
