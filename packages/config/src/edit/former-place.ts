import { isObject } from "../json.ts";
import { type ConfigPath, valueAtPath } from "./config-path.ts";

/**
 * Where the value at a path of a new config stood in the former one. An item of a list may have moved
 * since: it is known by its id, or by everything in it that is shown. Nothing where it cannot be told.
 *
 * @param mark stands for what is not shown, and may stand for anything.
 */
export function formerPlace(
  config: unknown,
  former: unknown,
  path: ConfigPath,
  mark: string,
): ConfigPath | undefined {
  const found: (string | number)[] = [];
  for (const [depth, key] of path.entries()) {
    const list = valueAtPath(config, path.slice(0, depth));
    const formerList = valueAtPath(former, found);
    if (!Array.isArray(list)) {
      found.push(key);
      continue;
    }
    const items: readonly unknown[] = Array.isArray(formerList) ? formerList : [];
    const index = formerIndex(list, items, Number(key), mark);
    if (index === undefined) return undefined;
    found.push(index);
  }
  return found;
}

function formerIndex(
  list: readonly unknown[],
  former: readonly unknown[],
  index: number,
  mark: string,
): number | undefined {
  const item = list[index];
  const id = idOf(item);
  if (id !== undefined) return onlyIndex(former, (one) => idOf(one) === id);
  const isSame = (one: unknown, other: unknown): boolean => looksAlike(one, other, mark);
  // What was put behind the others moves none of them.
  const isInPlace = former.every((one, at) => at < list.length && isSame(list[at], one));
  if (isInPlace && index < former.length) return index;
  const alike = onlyIndex(former, (one) => isSame(item, one));
  if (alike !== undefined) return alike;
  const hasAlike = former.some((one) => isSame(item, one));
  // One that was changed, in a list in which all others are where they were.
  const isOnlyChange =
    list.length === former.length &&
    list.every((one, at) => at === index || isSame(one, former[at])) &&
    idOf(former[index]) === undefined;
  return !hasAlike && isOnlyChange ? index : undefined;
}

function onlyIndex(
  items: readonly unknown[],
  isWanted: (item: unknown) => boolean,
): number | undefined {
  const found = [...items.keys()].filter((index) => isWanted(items[index]));
  return found.length === 1 ? found[0] : undefined;
}

function idOf(item: unknown): string | undefined {
  const id = isObject(item) ? item["id"] : undefined;
  return typeof id === "string" ? id : undefined;
}

/** Whether two values are the same, as far as is shown. */
function looksAlike(shown: unknown, other: unknown, mark: string): boolean {
  if (shown === mark) return typeof other !== "object";
  if (Array.isArray(shown)) {
    return (
      Array.isArray(other) &&
      shown.length === other.length &&
      shown.every((item, index) => looksAlike(item, other[index], mark))
    );
  }
  if (!isObject(shown)) return Object.is(shown, other);
  if (!isObject(other)) return false;
  const keys = Object.keys(shown);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && looksAlike(shown[key], other[key], mark))
  );
}
