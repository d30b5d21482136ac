// Where the members of the objects of a JSON5 text stand. The text has been parsed before, so what is
// read here is known to be JSON5; this only finds positions, which no parser of ours keeps.

/** A half-open range of the text. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** An object, or a list: its items are members without a key, named by their position. */
export interface ContainerNode extends Range {
  readonly kind: "object" | "list";
  readonly members: readonly Member[];
}

/** A value. Only objects and lists are taken apart. */
export type OutlineNode = ContainerNode | (Range & { readonly kind: "other" });

export interface Member {
  readonly name: string;
  /** Empty, as is the colon, at the beginning of the item of a list. */
  readonly key: Range;
  readonly colon: Range;
  readonly value: OutlineNode;
  /** The comma behind it, which the last member need not have. */
  readonly comma: Range | undefined;
}

export interface Outline {
  readonly root: OutlineNode;
  /** In the order of the text. */
  readonly comments: readonly Range[];
}

/** Ends of lines in JSON5. */
export const LINE_END = /[\n\r\u2028\u2029]/u;

const SPACE = /[\s\uFEFF]/u;
const PUNCTUATION = new Set(["{", "}", "[", "]", ":", ","]);

/**
 * The outline of a text that is JSON5.
 *
 * @param decode turns a quoted key into its name.
 */
export function outlineOf(text: string, decode: (literal: string) => string): Outline {
  const comments: Range[] = [];
  let at = 0;

  function skipSpace(): void {
    for (;;) {
      while (at < text.length && SPACE.test(text.charAt(at))) at += 1;
      const start = at;
      if (text.startsWith("//", at)) {
        while (at < text.length && !LINE_END.test(text.charAt(at))) at += 1;
      } else if (text.startsWith("/*", at)) {
        at = text.indexOf("*/", at + 2) + 2;
      } else return;
      comments.push({ start, end: at });
    }
  }

  function take(punctuation: string): Range {
    skipSpace();
    if (text.charAt(at) !== punctuation) throw new Error(`expected ${punctuation} at ${at}`);
    at += 1;
    return { start: at - 1, end: at };
  }

  function takeIf(punctuation: string): Range | undefined {
    skipSpace();
    return text.charAt(at) === punctuation ? take(punctuation) : undefined;
  }

  /** A string, a number, a word: what stands between punctuation, space and comments. */
  function takeLiteral(): Range {
    skipSpace();
    const start = at;
    const quote = text.charAt(at);
    if (quote === '"' || quote === "'") {
      at += 1;
      while (text.charAt(at) !== quote) {
        if (at >= text.length) throw new Error(`a string without an end at ${start}`);
        at += text.charAt(at) === "\\" ? 2 : 1;
      }
      at += 1;
      return { start, end: at };
    }
    while (at < text.length) {
      const char = text.charAt(at);
      if (PUNCTUATION.has(char) || SPACE.test(char) || char === "/") break;
      at += 1;
    }
    if (at === start) throw new Error(`expected a value at ${start}`);
    return { start, end: at };
  }

  function takeValue(): OutlineNode {
    skipSpace();
    const start = at;
    if (takeIf("{")) {
      const members: Member[] = [];
      while (!takeIf("}")) members.push(takeMember());
      return { kind: "object", start, end: at, members };
    }
    if (takeIf("[")) {
      const members: Member[] = [];
      while (!takeIf("]")) members.push(takeItem(members.length));
      return { kind: "list", start, end: at, members };
    }
    return { kind: "other", ...takeLiteral() };
  }

  function takeMember(): Member {
    const key = takeLiteral();
    const colon = take(":");
    const value = takeValue();
    const comma = takeIf(",");
    return { name: nameOf(text.slice(key.start, key.end), decode), key, colon, value, comma };
  }

  function takeItem(index: number): Member {
    const value = takeValue();
    const none = { start: value.start, end: value.start };
    return { name: String(index), key: none, colon: none, value, comma: takeIf(",") };
  }

  const root = takeValue();
  skipSpace();
  return { root, comments };
}

function nameOf(key: string, decode: (literal: string) => string): string {
  if (/^["']/u.test(key)) return decode(key);
  return key.replaceAll(/\\u([0-9a-f]{4})/giu, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
