import { isObject, type JsonObject } from "../json.ts";

/** A step from a value to one in it: a key, or the position in a list. */
export type Step = string | number;

/** Where a value is written. */
export interface Origin {
  readonly file: string;
  /** The steps from the root of that file. */
  readonly steps: readonly Step[];
}

/** A value, and where it is written. */
export interface Located {
  readonly value: unknown;
  readonly origin: Origin;
}

/**
 * What is known of the parts of values that were put together from several places. The parts of all
 * others are written where the whole is.
 */
export type Origins = WeakMap<object, ReadonlyMap<Step, Origin>>;

/** The part of a value behind one step, and where that is written. */
export function partOf({ value, origin }: Located, step: Step, origins: Origins): Located {
  const part = Array.isArray(value)
    ? (value[Number(step)] as unknown)
    : isObject(value) && Object.hasOwn(value, step)
      ? value[step]
      : undefined;
  const known =
    typeof value === "object" && value !== null ? origins.get(value)?.get(step) : undefined;
  return {
    value: part,
    origin: known ?? { file: origin.file, steps: [...origin.steps, step] },
  };
}

/**
 * Where the value behind a number of steps is written; where there is none, the last one on the way.
 */
export function originOf(root: Located, steps: readonly Step[], origins: Origins): Origin {
  let located = root;
  for (const step of steps) {
    const part = partOf(located, step, origins);
    if (part.value === undefined) break;
    located = part;
  }
  return located.origin;
}

/**
 * Two values as one: objects key by key, lists one behind the other, and of anything else the later.
 * Neither is changed.
 */
export function mergeLocated(earlier: Located, later: Located, origins: Origins): Located {
  if (Array.isArray(earlier.value) && Array.isArray(later.value)) {
    const parts = [earlier, later].flatMap((list) =>
      (list.value as unknown[]).map((_, index) => partOf(list, index, origins)),
    );
    return combined(
      parts.map(({ value }) => value),
      parts.map((part, index) => [index, part.origin]),
      later.origin,
      origins,
    );
  }
  if (!isObject(earlier.value) || !isObject(later.value)) return later;
  const keys = new Set([...Object.keys(earlier.value), ...Object.keys(later.value)]);
  const parts = [...keys].map((key): [string, Located] => {
    const sides = [earlier, later].filter(({ value }) => Object.hasOwn(value as JsonObject, key));
    const [first, second] = sides.map((side) => partOf(side, key, origins));
    if (first === undefined) throw new Error(`no side has ${key}`);
    return [key, second === undefined ? first : mergeLocated(first, second, origins)];
  });
  return combined(
    // fromEntries defines properties, so that a key "__proto__" stays a key.
    Object.fromEntries(parts.map(([key, { value }]) => [key, value])),
    parts.map(([key, { origin }]) => [key, origin]),
    later.origin,
    origins,
  );
}

/** A value that was put together, with what is known of its parts. */
export function combined(
  value: object,
  parts: readonly (readonly [Step, Origin])[],
  origin: Origin,
  origins: Origins,
): Located {
  origins.set(value, new Map(parts));
  return { value, origin };
}
