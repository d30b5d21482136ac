import fc from "fast-check";
import JSON5 from "json5";
import { describe, expect, test } from "vitest";
import {
  documentArbitrary,
  keyArbitrary,
  valueArbitrary,
  type Comment,
  type Json,
} from "../../test/support/json5-document.ts";
import { valueAtPath } from "./config-path.ts";
import { editText, type ConfigEdit } from "./edit-text.ts";

const edit = (text: string, ...edits: ConfigEdit[]): string => editText(text, edits, JSON5.parse);
const set = (path: string, value: unknown): ConfigEdit => ({ path, value });
const unset = (path: string): ConfigEdit => ({ path, value: undefined });

const COMMENTED = `// My gateway.
{
  // Who may come in.
  gateway: {
    auth: { token: '\${TOKEN}' }, // from the vault
    port: 18_789,
    /* how to get there */
    remote: {
      url: "wss://old.example", // to be moved
      token: 'keep', /* for both */
    },
  },
  other: [1, 2, /* three */ 3],
}
`.replace("18_789", "18789");

describe("setting a key", () => {
  test("changes its value and nothing else", () => {
    expect(edit(COMMENTED, set("gateway.remote.url", "ssh://me@box"))).toBe(
      COMMENTED.replace('"wss://old.example"', '"ssh://me@box"'),
    );
  });

  test("that says the same already leaves the text as it is, quotes included", () => {
    const edits = [set("gateway.auth", { token: "${TOKEN}" }), set("other", [1, 2, 3])];
    expect(edit(COMMENTED, ...edits)).toBe(COMMENTED);
  });

  test("that is new goes to the end of its object, in the style of the others", () => {
    expect(edit(COMMENTED, set("gateway.remote.transport", "ssh"))).toBe(
      COMMENTED.replace("/* for both */", '/* for both */\n      transport: "ssh",'),
    );
    expect(edit(COMMENTED, set("gateway.auth.mode", "token"))).toBe(
      COMMENTED.replace("'${TOKEN}' }", `'\${TOKEN}', mode: "token" }`),
    );
  });

  test("in an object that is missing makes the object", () => {
    expect(edit(COMMENTED, set("logging.console.level", "warn"))).toBe(
      COMMENTED.replace(
        "3],\n",
        '3],\n  logging: {\n    console: {\n      level: "warn"\n    }\n  },\n',
      ),
    );
  });

  test.each([
    ["{}", '{\n  "a": 1\n}'],
    ["{}\n", '{\n  "a": 1\n}\n'],
    ["{ }", '{\n  "a": 1\n}'],
    ["{ /* empty */ }", '{ /* empty */\n  "a": 1\n}'],
    ["{ // empty\n}", '{ // empty\n  "a": 1\n}'],
    ["{b: 1}", "{b: 1, a: 1}"],
    ["{b: 1,}", "{b: 1, a: 1,}"],
    ["{ 'b': 1 }", `{ 'b': 1, "a": 1 }`],
    ["{\r\n\tb: 1\r\n}", "{\r\n\tb: 1,\r\n\ta: 1\r\n}"],
    ["{\n  b: 1 // one\n}", "{\n  b: 1, // one\n  a: 1\n}"],
    ["{\n  b: 1, // one\n  // last\n}", "{\n  b: 1, // one\n  a: 1,\n  // last\n}"],
    ["{\n  b: 1 }", "{\n  b: 1,\n  a: 1 }"],
  ])("writes %j as %j", (text, expected) => {
    expect(edit(text, set("a", 1))).toBe(expected);
  });

  test("goes into an empty object without moving its neighbours", () => {
    expect(edit("{ a: {}, b: 1 }", set("a.c", 1))).toBe("{ a: { c: 1 }, b: 1 }");
    expect(edit("{\n  a: {},\n  b: 1\n}", set("a.c", [true]))).toBe(
      "{\n  a: {\n    c: [\n      true\n    ]\n  },\n  b: 1\n}",
    );
  });

  test("changes the member that counts where a name stands twice", () => {
    expect(edit("{a: 1, a: 2}", set("a", 3))).toBe("{a: 1, a: 3}");
  });

  test("below something that is no object is refused", () => {
    for (const text of ["{a: 1}", "{a: null}", "{a: [{}]}", "{a: 'x'}"]) {
      expect(() => edit(text, set("a.b", 1))).toThrow(
        expect.objectContaining({ code: "INVALID_EDIT", message: "a is not an object." }),
      );
    }
  });

  test.each([[""], ["a..b"], [[]]])("at the path %j is refused", (path) => {
    expect(() => edit("{}", { path, value: 1 })).toThrow(
      expect.objectContaining({ code: "INVALID_EDIT" }),
    );
  });

  test("to what JSON has not is refused", () => {
    expect(() => edit("{}", { path: "a", value: () => {} })).toThrow(
      expect.objectContaining({ code: "INVALID_EDIT" }),
    );
  });
});

describe("removing a key", () => {
  test("takes its line, and leaves the remarks", () => {
    expect(edit(COMMENTED, unset("gateway.port"))).toBe(
      COMMENTED.replace("    port: 18789,\n", ""),
    );
    expect(edit(COMMENTED, unset("gateway.remote.url"))).toBe(
      COMMENTED.replace('url: "wss://old.example", // to', "// to"),
    );
    expect(edit(COMMENTED, unset("gateway.remote"))).not.toContain("keep");
    expect(edit(COMMENTED, unset("gateway.remote"))).toContain("/* how to get there */");
  });

  test.each([
    ["{a: 1}", "{}"],
    ["{a: 1, b: 2}", "{b: 2}"],
    ["{b: 2, a: 1}", "{b: 2}"],
    ["{ b: 2, a: 1 }", "{ b: 2 }"],
    ["{b: 2, a: 1,}", "{b: 2,}"],
    ["{a: 1, a: 2, b: 3}", "{b: 3}"],
    ['{\n  "b": 2,\n  "a": 1\n}', '{\n  "b": 2\n}'],
    ["{\n  b: 2, // two\n  a: 1\n}", "{\n  b: 2 // two\n}"],
    ["{\n  a: 1, // one\n}", "{\n  // one\n}"],
    ["{ a /* 1 */ : /* 2 */ 1 /* 3 */ , b: 2 }", "{  /* 1 */  /* 2 */  /* 3 */  b: 2 }"],
    ["{\r\n  a: {\r\n    x: 1\r\n  },\r\n  b: 2\r\n}", "{\r\n  b: 2\r\n}"],
  ])("from %j leaves %j", (text, expected) => {
    expect(edit(text, unset("a"))).toBe(expected);
  });

  test("that is not there, or below what is no object, changes nothing", () => {
    for (const path of ["nothing", "gateway.nothing.at.all", "gateway.port.x", "other.x"]) {
      expect(edit(COMMENTED, unset(path))).toBe(COMMENTED);
    }
  });
});

/** An edit with keys that are in the document often enough. */
const editArbitrary: fc.Arbitrary<{ path: string[]; value: Json | undefined }> = fc.record({
  path: fc.array(keyArbitrary, { minLength: 1, maxLength: 4 }),
  value: fc.option(valueArbitrary, { nil: undefined }),
});

type JsonObject = Readonly<Record<string, Json>>;

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const own = (value: JsonObject, key: string): Json | undefined =>
  Object.hasOwn(value, key) ? value[key] : undefined;

/** What the edit means, said once more and differently. `undefined` where it is to be refused. */
function expected(
  value: JsonObject,
  path: readonly string[],
  to: Json | undefined,
): JsonObject | undefined {
  const [key = "", ...rest] = path;
  const entries = new Map(Object.entries(value));
  if (rest.length === 0) {
    if (to === undefined) entries.delete(key);
    else entries.set(key, to);
    return Object.fromEntries(entries);
  }
  const child = own(value, key);
  if (to === undefined && !isObject(child)) return value;
  if (child !== undefined && !isObject(child)) return undefined;
  const changed = expected(child ?? {}, rest, to);
  return changed && Object.fromEntries(entries.set(key, changed));
}

/** Whether a path leads into a list, whose items move when one goes; tested by themselves. */
function isItem(value: unknown, path: readonly string[]): boolean {
  return path.some((key, index) => {
    const parent = valueAtPath(value, path.slice(0, index));
    return Array.isArray(parent) && key === "1";
  });
}

/** Comments that stand in no value which the edit takes away. */
function survivors(comments: readonly Comment[], path: readonly string[]): readonly Comment[] {
  return comments.filter(({ inside }) => !path.every((key, index) => inside[index] === key));
}

describe("the items of a list", () => {
  const LIST = "{\n  list: [\n    'a', // first\n    { n: 1 },\n  ],\n  short: [1, 2]\n}";

  test.each<[string, string, unknown, string]>([
    ["is replaced", "list[0]", "b", LIST.replace("'a'", '"b"')],
    ["is reached into", "list[1].n", 2, LIST.replace("n: 1", "n: 2")],
    ["is reached by a numeral", "list.1.m", true, LIST.replace("n: 1", "n: 1, m: true")],
    ["is added at the end", "list[2]", 3, LIST.replace("{ n: 1 },", "{ n: 1 },\n    3,")],
    ["is added on one line", "short[2]", 3, LIST.replace("1, 2]", "1, 2, 3]")],
    ["is taken away with its line", "list[1]", undefined, LIST.replace("    { n: 1 },\n", "")],
    ["is taken away from a line", "short[0]", undefined, LIST.replace("1, 2]", "2]")],
    ["makes its list", "short[0][0]", 7, ""],
    ["begins a list", "new[0]", 7, LIST.replace("1, 2]", "1, 2],\n  new: [\n    7\n  ]")],
  ])("%s: %s", (_, path, value, wanted) => {
    if (wanted === "") {
      expect(() => edit(LIST, { path, value })).toThrow("short[0] is not a list");
    } else expect(edit(LIST, { path, value })).toBe(wanted);
  });

  test("leave no gap", () => {
    expect(() => edit(LIST, { path: "list[3]", value: 1 })).toThrow("list has 2 items");
    expect(() => edit(LIST, { path: "list.name", value: 1 })).toThrow("list is not an object");
    expect(() => edit(LIST, { path: "fresh[1]", value: 1 })).toThrow("fresh has 0 items");
  });

  test("the last one leaves an empty list", () => {
    expect(edit("{a: [1]}", { path: "a[0]", value: undefined })).toBe("{a: []}");
  });
});

test("whatever is edited, the text reads as the edited value, and remarks outside survive in order", () => {
  fc.assert(
    fc.property(documentArbitrary, fc.array(editArbitrary, { maxLength: 6 }), (document, edits) => {
      let { text, comments } = document;
      let value: JsonObject = document.value;
      expect(JSON5.parse(text)).toEqual(value);
      for (const { path, value: to } of edits) {
        if (isItem(value, path)) continue;
        const next = expected(value, path, to);
        if (next === undefined) {
          expect(() => edit(text, { path, value: to })).toThrow(
            expect.objectContaining({ code: "INVALID_EDIT" }),
          );
          continue;
        }
        text = edit(text, { path, value: to });
        value = next;
        comments = survivors(comments, path);
        const parsed: unknown = JSON5.parse(text);
        expect(parsed).toEqual(value);
        expect(JSON.stringify(parsed)).toBe(JSON.stringify(value));
        expect(edit(text, { path, value: to })).toBe(text);
        let at = 0;
        for (const comment of comments) {
          const found = text.indexOf(comment.text, at);
          expect(found).toBeGreaterThanOrEqual(at);
          at = found + comment.text.length;
        }
      }
    }),
    { numRuns: 500 },
  );
});

test("a text as JSON.stringify writes it stays one", () => {
  // A key that is a number is not printed where it was added.
  const words = editArbitrary.filter(({ path }) => !path.includes("1"));
  const model = fc.dictionary(keyArbitrary, valueArbitrary, { maxKeys: 4 });
  fc.assert(
    fc.property(model, fc.array(words, { maxLength: 5 }), (start, edits) => {
      const print = (value: unknown): string =>
        JSON.stringify(value, undefined, 2).replaceAll("\u2028", String.raw`\u2028`);
      let value: JsonObject = start;
      let text = print(value);
      for (const { path, value: to } of edits) {
        const next = isItem(value, path) ? undefined : expected(value, path, to);
        if (next === undefined) continue;
        value = next;
        text = edit(text, { path, value: to });
        expect(text).toBe(print(value));
      }
    }),
    { numRuns: 500 },
  );
});
