import { isDeepStrictEqual } from "node:util";
import { isObject } from "../json.ts";
import type { ConfigPath } from "./config-path.ts";

/** One key that differs between two configs. */
export interface ConfigChange {
  readonly path: ConfigPath;
  /** `undefined` where there was none. */
  readonly before: unknown;
  /** `undefined` where there is none any more. */
  readonly after: unknown;
}

/**
 * The keys in which two configs differ, as deep down as objects are on both sides; a list counts as
 * one value. In the order of the former config, then of the new one.
 */
export function diffConfigs(
  before: unknown,
  after: unknown,
  path: ConfigPath = [],
): ConfigChange[] {
  if (isObject(before) && isObject(after)) {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...names].flatMap((name) =>
      diffConfigs(own(before, name), own(after, name), [...path, name]),
    );
  }
  return isDeepStrictEqual(before, after) ? [] : [{ path, before, after }];
}

/** The paths of the single values in which two configs differ, also of sections that only one has. */
export function changedPaths(before: unknown, after: unknown): ConfigPath[] {
  return diffConfigs(before, after).flatMap(({ path, before: former, after: present }) => [
    ...leaves(former ?? present, path),
  ]);
}

function leaves(value: unknown, path: ConfigPath): ConfigPath[] {
  if (!isObject(value)) return [path];
  const inner = Object.entries(value).flatMap(([name, child]) => leaves(child, [...path, name]));
  return inner.length === 0 ? [path] : inner;
}

/** Whether one path is the other, or leads to what encloses it. */
export function isOverlapping(one: ConfigPath, other: ConfigPath): boolean {
  const shared = Math.min(one.length, other.length);
  return one.slice(0, shared).every((key, index) => String(key) === String(other[index]));
}

function own(value: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}
