import fc from "fast-check";

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** A JSON5 text written in no style in particular, and what is known of it. */
export interface Document {
  readonly text: string;
  readonly value: { readonly [key: string]: Json };
  readonly comments: readonly Comment[];
}

export interface Comment {
  readonly text: string;
  /** Keys of the value whose brackets enclose it. */
  readonly inside: readonly string[];
}

/** Keys that meet again in edits, and some that are awkward to write. */
export const keyArbitrary: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: fc.constantFrom("a", "b", "c", "remote", "url"), weight: 8 },
  { arbitrary: fc.constantFrom("", "a.b", "1", "it's", 'a"b', "//", "ü", "__proto__"), weight: 1 },
);

export const valueArbitrary: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<Json>(
      null,
      true,
      false,
      0,
      -1.5,
      1e21,
      "",
      "x",
      "it's",
      '"',
      "// no",
      "/*",
      "}{][,:",
      "\\",
      "a\nb",
      "\u2028ü😀",
    ),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(keyArbitrary, tie("value"), { maxKeys: 4 }),
  ),
})).value;

/** A document whose root is an object. */
export const documentArbitrary: fc.Arbitrary<Document> = fc
  .tuple(fc.dictionary(keyArbitrary, valueArbitrary, { maxKeys: 5 }), fc.nat(), fc.nat(4))
  .map(([value, seed, density]) => writeDocument(value, seed, density));

/** Writes the value with white space, comments, quotes and commas drawn from `seed`. */
function writeDocument(value: Document["value"], seed: number, density: number): Document {
  const comments: Comment[] = [];
  let state = seed % 2_147_483_647 || 1;
  const draw = (limit: number): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state % limit;
  };
  const lineEnd = draw(4) === 0 ? "\r\n" : "\n";
  const quote = (text: string): string => {
    const escaped = JSON.stringify(text).replaceAll("\u2028", String.raw`\u2028`);
    if (draw(3) > 0) return escaped;
    return `'${escaped
      .slice(1, -1)
      .replaceAll(String.raw`\"`, '"')
      .replaceAll("'", String.raw`\'`)}'`;
  };

  function gap(inside: readonly string[]): string {
    const pieces = ["", " ", "\t", lineEnd, `${lineEnd}  `, "\u00A0"];
    let text = pieces[draw(pieces.length)] ?? "";
    while (draw(12) < density) {
      const isLine = draw(2) === 0;
      const name = `remark ${comments.length} { "a": 1, } '`;
      const breaks = !isLine && draw(4) === 0 ? lineEnd : "";
      const comment = isLine ? `// ${name}` : `/* ${name}${breaks}*/`;
      comments.push({ text: comment, inside });
      text += comment + (isLine ? lineEnd : (pieces[draw(pieces.length)] ?? ""));
    }
    return text;
  }

  function write(item: Json, path: readonly string[]): string {
    if (Array.isArray(item)) {
      const items = item.map(
        (one: Json, index) => gap(path) + write(one, [...path, String(index)]) + gap(path),
      );
      return `[${items.join(",")}${items.length > 0 && draw(3) === 0 ? `,${gap(path)}` : gap(path)}]`;
    }
    if (typeof item === "object" && item !== null) {
      const members = Object.entries(item).map(([key, one]) => {
        const name = /^[a-z]+$/u.test(key) && draw(2) === 0 ? key : quote(key);
        return `${gap(path)}${name}${gap(path)}:${gap(path)}${write(one, [...path, key])}${gap(path)}`;
      });
      const end = members.length > 0 && draw(3) === 0 ? "," : "";
      return `{${members.join(",")}${end}${gap(path)}}`;
    }
    if (typeof item === "string") return quote(item);
    if (typeof item === "number" && Number.isInteger(item) && item >= 0 && item < 1e9) {
      return draw(3) === 0 ? `0x${item.toString(16)}` : draw(3) === 0 ? `+${item}` : String(item);
    }
    return JSON.stringify(item);
  }

  const text = gap(OUTSIDE) + write(value, []) + gap(OUTSIDE);
  return { text, value, comments };
}

/** No value encloses what stands before and after the root. */
const OUTSIDE: readonly string[] = ["outside of the root"];
