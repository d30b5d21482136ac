import { LINE_END, outlineOf, type OutlineNode } from "./edit/json5-outline.ts";
import type { Step } from "./include/located-value.ts";

/** A place in a text, counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * Where the value behind a number of steps stands in a JSON5 text, its key where it has one; where there
 * is none, the last one on the way. Nothing for a text without a value.
 */
export async function positionIn(
  text: string,
  steps: readonly Step[],
): Promise<Position | undefined> {
  return (await positionsIn(new Map([["", text]])))("", steps);
}

/** {@link positionIn} for many places in several files. */
export async function positionsIn(
  texts: ReadonlyMap<string, string>,
): Promise<(file: string, steps: readonly Step[]) => Position | undefined> {
  const { default: json5 } = await import("json5");
  const roots = new Map<string, OutlineNode | undefined>();
  return (file, steps) => {
    const text = texts.get(file) ?? "";
    if (!roots.has(file)) {
      const isEmpty = text.trim() === "";
      const decode = (literal: string): string => String(json5.parse<unknown>(literal));
      roots.set(file, isEmpty ? undefined : outlineOf(text, decode).root);
    }
    const root = roots.get(file);
    return root === undefined ? undefined : positionOf(text, root, steps);
  };
}

function positionOf(text: string, root: OutlineNode, steps: readonly Step[]): Position {
  let node = root;
  let at = root.start;
  for (const step of steps) {
    if (node.kind === "other") break;
    // Of two members with one name the last counts.
    const member = node.members.findLast(({ name }) => name === String(step));
    if (member === undefined) break;
    at = member.key.start;
    node = member.value;
  }
  return lineAndColumn(text, at);
}

function lineAndColumn(text: string, position: number): Position {
  let line = 1;
  let lineStart = text.startsWith("\uFEFF") ? 1 : 0;
  for (let at = lineStart; at < position; at += 1) {
    if (!LINE_END.test(text.charAt(at))) continue;
    if (text.charAt(at) === "\r" && text.charAt(at + 1) === "\n") continue;
    line += 1;
    lineStart = at + 1;
  }
  return { line, column: position - lineStart + 1 };
}
