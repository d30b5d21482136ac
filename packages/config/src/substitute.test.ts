import fc from "fast-check";
import { expect, test } from "vitest";
import { substituteVariables } from "./substitute.ts";

// A night runs a million: OPENCLAW_FUZZ_RUNS.
const numRuns = Number(process.env["OPENCLAW_FUZZ_RUNS"] ?? 10_000);

const env = { A: "1", B_2: "${A}", EMPTY: "", CLAWDBOT_GATEWAY_PASSWORD: "pw" };

test.each([
  ["${A}", "1"],
  ["x${A}y${A}z", "x1y1z"],
  // No second pass over what was put in.
  ["${B_2}", "${A}"],
  ["$${A}", "${A}"],
  ["$A", "$A"],
  ["${lower}", "${lower}"],
  ["${A:-x}", "${A:-x}"],
  ["${}", "${}"],
  ["${CLAWDBOT_GATEWAY_PASSWORD}", "pw"],
  ["${OPENCLAW_GATEWAY_PASSWORD}", "pw"],
])("%s becomes %s", (text, expected) => {
  expect(substituteVariables({ key: text }, env)).toEqual({
    value: { key: expected },
    unresolved: [],
  });
});

test("a reference to a missing or empty variable leaves no value, and is reported", () => {
  const root = { a: { b: "x${NONE}${A}" }, list: ["${EMPTY}", "keep"], n: 1 };
  expect(substituteVariables(root, env)).toEqual({
    value: { a: {}, list: ["keep"], n: 1 },
    unresolved: [
      { path: "a.b", name: "NONE" },
      { path: "list[0]", name: "EMPTY" },
    ],
  });
});

test("keys are left alone, also those that could reach a prototype", () => {
  const root: unknown = JSON.parse('{"__proto__": {"x": "${A}"}, "${A}": "k"}');
  const { value } = substituteVariables(root, env);
  expect(JSON.stringify(value)).toBe('{"__proto__":{"x":"1"},"${A}":"k"}');
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
});

test("a value without references comes back equal, and the original is never changed", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (root) => {
      const before = JSON.stringify(root);
      const { value } = substituteVariables(root, env);
      expect(JSON.stringify(root)).toBe(before);
      if (!before.includes("${")) expect(JSON.stringify(value)).toBe(before);
    }),
  );
});

test("every reference is replaced by the variable's text exactly, whatever the text", () => {
  const name = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,8}$/u);
  const plain = fc.string().filter((text) => !text.includes("$"));
  const filled = fc.string().filter((text) => text.trim() !== "");
  fc.assert(
    fc.property(plain, name, filled, plain, (before, variable, value, after) => {
      const text = `${before}\${${variable}}${after}`;
      const result = substituteVariables({ text }, { [variable]: value });
      expect(result).toEqual({ value: { text: before + value + after }, unresolved: [] });
      expect(substituteVariables({ text }, {})).toEqual({
        value: {},
        unresolved: [{ path: "text", name: variable }],
      });
    }),
    { numRuns },
  );
});
