import fc from "fast-check";
import { expect, test } from "vitest";
import { exceedsDepth, textExceedsDepth } from "./json-depth.ts";

const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels);

test("the value itself is the first level", () => {
  expect(exceedsDepth([], 1)).toBe(false);
  expect(exceedsDepth([[]], 1)).toBe(true);
  expect(exceedsDepth({ a: [{ b: 1 }] }, 3)).toBe(false);
  expect(exceedsDepth({ a: [{ b: {} }] }, 3)).toBe(true);
});

test("brackets within strings do not count", () => {
  expect(textExceedsDepth(JSON.stringify(["[[[[", '"[[[[', '\\"[[[[', "\\"]), 1)).toBe(false);
  expect(textExceedsDepth('["\\\\", [[]]]', 2)).toBe(true);
});

test("text that never closes a string or a bracket is read to its end", () => {
  expect(textExceedsDepth('["', 200)).toBe(false);
  expect(textExceedsDepth('["\\', 200)).toBe(false);
  expect(textExceedsDepth("[".repeat(201), 200)).toBe(true);
});

test("reading a text and walking its value agree", () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.integer({ min: 1, max: 5 }), (text, levels) => {
      const value: unknown = JSON.parse(text);
      if (typeof value !== "object" || value === null) return;
      expect(textExceedsDepth(text, levels)).toBe(exceedsDepth(value, levels));
    }),
  );
  expect(textExceedsDepth(nested(200), 200)).toBe(false);
  expect(textExceedsDepth(nested(201), 200)).toBe(true);
});
