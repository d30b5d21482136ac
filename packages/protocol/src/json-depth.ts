/** Whether arrays and objects are nested deeper than `levels`, `value` itself being the first. */
export function exceedsDepth(value: object, levels: number): boolean {
  if (levels <= 0) return true;
  if (Array.isArray(value)) {
    for (const item of value) {
      if (typeof item === "object" && item !== null && exceedsDepth(item, levels - 1)) return true;
    }
    return false;
  }
  for (const key in value) {
    // `value` came out of JSON.parse, so each key is its own.
    const item = (value as Record<string, unknown>)[key];
    if (typeof item === "object" && item !== null && exceedsDepth(item, levels - 1)) return true;
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * The same of a text that is not parsed yet; strings are skipped without a look at what they hold.
 * Of text that is not JSON the answer means nothing.
 */
export function textExceedsDepth(text: string, levels: number): boolean {
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    switch (text.charCodeAt(index)) {
      case QUOTE:
        index = endOfString(text, index);
        break;
      case 0x5b: // [
      case 0x7b: // {
        depth += 1;
        if (depth > levels) return true;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth -= 1;
        break;
      default:
    }
  }
  return false;
}

/** Index of the quote that closes the string opened at `start`, or the end of the text. */
function endOfString(text: string, start: number): number {
  let end = start;
  let escapes: number;
  do {
    end = text.indexOf('"', end + 1);
    if (end === -1) return text.length;
    escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes += 1;
  } while (escapes % 2 === 1);
  return end;
}
