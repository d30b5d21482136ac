import { z } from "zod";

// The message of a leaf says what is allowed there; `schemaIssues` adds what was found.

/** A string that says something. */
export function text() {
  return z.string("a string").min(1, "a string that is not empty");
}

/** A list of strings. */
export function texts() {
  return z.array(text(), "a list of strings");
}

/** `true` or `false`. */
export function flag() {
  return z.boolean("true or false");
}

/** An integer in a range, both ends included. */
export function int(min: number, max = Number.MAX_SAFE_INTEGER) {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  const allowed = `an integer ${range}`;
  return z.int(allowed).min(min, allowed).max(max, allowed);
}

/** One of a few words. */
export function oneOf<const T extends readonly [string, ...string[]]>(words: T) {
  return z.enum(words, words.map((word) => JSON.stringify(word)).join(", "));
}

/** A string of a certain shape. */
export function matching(pattern: RegExp, allowed: string) {
  return z.string(allowed).regex(pattern, allowed);
}

/** A string that a function knows to be right. */
export function checked(isRight: (value: string) => boolean, allowed: string) {
  return z.string(allowed).refine(isRight, allowed);
}

/** An object of which every key is known; all of them may be missing. */
export function section<T extends z.core.$ZodLooseShape>(shape: T) {
  return z.strictObject(shape, "an object");
}

/** An object that a later release, an extension or another program gives its keys. */
export function openSection() {
  return z.record(z.string(), z.unknown(), "an object");
}
