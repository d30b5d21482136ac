/** Whether a value of unknown origin is an object with members, and no list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value if it is an object with members, else one without any. */
export function asObject(value: unknown): Record<string, unknown> {
  return isObject(value) ? value : {};
}
