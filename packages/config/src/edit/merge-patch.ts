import { isObject } from "../json.ts";

/**
 * A config after a merge patch (RFC 7396): `null` deletes a key, an object is merged, anything else
 * takes the place of what was there. The given config stays as it was.
 *
 * @param isReplaced whether the object at a path takes the place of the former one, too.
 */
export function mergePatch(
  config: unknown,
  patch: unknown,
  isReplaced: (path: readonly string[]) => boolean = () => false,
  path: readonly string[] = [],
): unknown {
  if (!isObject(patch)) return patch;
  const base = isObject(config) && !isReplaced(path) ? config : {};
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value, isReplaced, [...path, key]));
  }
  // fromEntries defines properties, so that a key "__proto__" stays a key.
  return Object.fromEntries(merged);
}
