/** Longest name that a peer may give itself or anything of its own; the rest is cut. */
const MAX_NAME_CHARS = 256;

/** Control characters, line separators, and what turns the direction of text. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const ALL_UNPRINTABLE = new RegExp(UNPRINTABLE, "gu");

/**
 * A peer's own words, fit for a line of a log or of a terminal: one line, nothing that a terminal
 * obeys, not endless. What is left may be empty.
 */
export function plainText(text: string, maxChars: number = MAX_NAME_CHARS): string {
  return text.slice(0, maxChars).replaceAll(ALL_UNPRINTABLE, "").trim();
}

/** Whether a name can be taken as it is. */
export function isPlain(name: string): boolean {
  return name.length <= MAX_NAME_CHARS && !UNPRINTABLE.test(name);
}
