/**
 * One word of `ExecStart=` or `Environment=`, quoted where systemd would read it differently.
 * `%` begins a specifier everywhere, and is doubled.
 *
 * @see https://www.freedesktop.org/software/systemd/man/latest/systemd.syntax.html#Quoting
 */
export function quoteWord(text: string): string {
  const escaped = text
    .replaceAll("%", "%%")
    .replaceAll(/[\\"]/gu, String.raw`\$&`)
    .replaceAll(/\p{Cc}/gu, (character) => controlEscape(character));
  // A lone ";" separates commands; quoted, it is an argument.
  const isPlain = /^[^\s"'\\;#\p{Cc}]+$/u.test(text);
  return isPlain ? escaped : `"${escaped}"`;
}

/** A later word of `ExecStart=`, where `$` begins a variable. The program itself takes no variables. */
export function quoteArgument(text: string): string {
  return quoteWord(text.replaceAll("$", "$$$$"));
}

/** A value that systemd takes as it stands up to the end of the line, as `WorkingDirectory=`. */
export function escapeSpecifiers(text: string): string {
  return text.replaceAll("%", "%%");
}

/** Undoes {@link escapeSpecifiers}; other specifiers stay as they are. */
export function unescapeSpecifiers(text: string): string {
  return text.replaceAll("%%", "%");
}

/** A word as it is meant, and as it stands in the file. */
export interface RawWord {
  readonly text: string;
  readonly raw: string;
}

/**
 * Splits a value into words as systemd does: white space separates, quotes of both kinds group, and
 * backslashes escape as in C. Undefined when a quote does not end or an escape is unknown.
 */
export function splitWords(value: string): RawWord[] | undefined {
  const words: RawWord[] = [];
  let text: string | undefined;
  let start = 0;
  let quote: string | undefined;
  const add = (part: string, index: number): void => {
    if (text === undefined) start = index;
    text = (text ?? "") + part;
  };
  for (let index = 0; index < value.length; index += 1) {
    const character = value.charAt(index);
    if (character === "\\") {
      const escape = readEscape(value.slice(index + 1), text === undefined);
      if (escape === undefined) return undefined;
      add(escape.text, index);
      index += escape.length;
    } else if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else add(character, index);
    } else if (character === '"' || character === "'") {
      quote = character;
      add("", index);
    } else if (!/[ \t\n\r]/u.test(character)) {
      add(character, index);
    } else if (text !== undefined) {
      words.push({ text, raw: value.slice(start, index) });
      text = undefined;
    }
  }
  if (quote !== undefined) return undefined;
  return text === undefined ? words : [...words, { text, raw: value.slice(start) }];
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\u0007",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  '"': '"',
  "'": "'",
  s: " ",
};

const NAMES_OF_CONTROLS = new Map(
  ["a", "b", "f", "n", "r", "t", "v"].map((name) => [ESCAPES[name], name]),
);

function controlEscape(character: string): string {
  const name = NAMES_OF_CONTROLS.get(character);
  if (name !== undefined) return `\\${name}`;
  // Above ASCII a byte would be half of a UTF-8 sequence; a code point is not.
  const code = character.codePointAt(0) ?? 0;
  return code < 0x80
    ? String.raw`\x${code.toString(16).padStart(2, "0")}`
    : String.raw`\u${code.toString(16).padStart(4, "0")}`;
}

/** The escape whose backslash stands before `rest`, and how many characters of `rest` it takes. */
function readEscape(
  rest: string,
  isAtStart: boolean,
): { text: string; length: number } | undefined {
  if (isAtStart && /^;(?:\s|$)/u.test(rest)) return { text: ";", length: 1 };
  const simple = ESCAPES[rest.charAt(0)];
  if (simple !== undefined) return { text: simple, length: 1 };
  const [whole, hex, octal, short, long] =
    /^(?:x([0-9a-f]{2})|([0-7]{3})|u([0-9a-f]{4})|U([0-9a-f]{8}))/iu.exec(rest) ?? [];
  if (whole === undefined) return undefined;
  const digits = hex ?? short ?? long;
  const code = digits === undefined ? Number.parseInt(octal ?? "", 8) : Number.parseInt(digits, 16);
  return code > 0x10_ffff ? undefined : { text: String.fromCodePoint(code), length: whole.length };
}
