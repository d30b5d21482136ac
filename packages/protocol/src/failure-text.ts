// How a failed check reads on the wire. Published peers print these texts and their tests compare
// them, so every place that reports one takes it from here.

/** A failure of the value at `path`, a JSON pointer without escapes; the root has no prefix. */
export function atPath(path: string, failure: string): string {
  return path === "" ? failure : `at ${path}: ${failure}`;
}

export function missingProperty(path: string, name: string): string {
  return atPath(path, `must have required property '${name}'`);
}

export function unexpectedProperty(path: string, name: string): string {
  return `at ${path === "" ? "root" : path}: unexpected property '${shortened(name)}'`;
}

export const mustBe = (what: string): string => `must be ${what}`;
export const mustEqualConstant = "must be equal to constant";
export const mustEqualAllowedValue = "must be equal to one of the allowed values";
export const mustMatchAnyOf = "must match a schema in anyOf";
export const tooShort = (limit: number | bigint, what: "characters" | "items"): string =>
  `must not have fewer than ${limit} ${what}`;
export const tooLong = (limit: number | bigint, what: "characters" | "items"): string =>
  `must not have more than ${limit} ${what}`;
export const tooDeep = (levels: number): string =>
  `must not be nested deeper than ${levels} levels`;

/** More failures than these are not worth the bytes: one repaired frame tells the rest. */
const MAX_FAILURES = 8;

export function joinFailures(failures: readonly string[]): string {
  return failures.slice(0, MAX_FAILURES).join("; ");
}

/** A property name comes from the peer and may be as long as a frame. */
const MAX_NAME_CHARS = 100;

export function shortened(name: string): string {
  return name.length > MAX_NAME_CHARS ? `${name.slice(0, MAX_NAME_CHARS)}…` : name;
}
