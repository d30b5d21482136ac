import { stripVTControlCharacters } from "node:util";

// C0, DEL, C1, and the marks that reorder or hide text.
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/**
 * Text that someone else chose, such as a node's name, made safe to show: no escape sequence, no
 * control character, one line.
 */
export function safeText(value: unknown): string {
  const text = typeof value === "number" ? String(value) : value;
  // What is neither text nor number is not what the Gateway promised, and nothing to show.
  if (typeof text !== "string") return "";
  return stripVTControlCharacters(text).replaceAll(UNSAFE, " ").trim();
}
