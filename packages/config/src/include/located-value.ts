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
 * Several values as one, in their order: objects key by key, lists one behind the other, and of anything
 * else the latest. None is changed.
 */
export function mergeLocated(
  [first, ...others]: readonly [Located, ...Located[]],
  origins: Origins,
): Located {
  // What comes before a value of another kind is replaced by it as a whole.
  let alike: [Located, ...Located[]] = [first];
  for (const next of others) {
    if (isAlike(alike[0].value, next.value)) alike.push(next);
    else alike = [next];
  }
  const last = alike.at(-1) ?? first;
  if (alike.length === 1) return last;
  return Array.isArray(last.value)
    ? mergeLists(alike, last.origin, origins)
    : mergeObjects(alike, last.origin, origins);
}

function isAlike(one: unknown, other: unknown): boolean {
  return (Array.isArray(one) && Array.isArray(other)) || (isObject(one) && isObject(other));
}

function mergeLists(lists: readonly Located[], origin: Origin, origins: Origins): Located {
  const parts = lists.flatMap((list) =>
    (list.value as unknown[]).map((_, index) => partOf(list, index, origins)),
  );
  return combined(
    parts.map(({ value }) => value),
    parts.map((part, index) => [index, part.origin]),
    origin,
    origins,
  );
}

function mergeObjects(objects: readonly Located[], origin: Origin, origins: Origins): Located {
  const sides = new Map<string, [Located, ...Located[]]>();
  for (const object of objects) {
    for (const key of Object.keys(object.value as JsonObject)) {
      const part = partOf(object, key, origins);
      const earlier = sides.get(key);
      if (earlier === undefined) sides.set(key, [part]);
      else earlier.push(part);
    }
  }
  const parts = [...sides].map(([key, values]) => [key, mergeLocated(values, origins)] as const);
  return combined(
    // fromEntries defines properties, so that a key "__proto__" stays a key.
    Object.fromEntries(parts.map(([key, { value }]) => [key, value])),
    parts.map(([key, part]) => [key, part.origin]),
    origin,
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
