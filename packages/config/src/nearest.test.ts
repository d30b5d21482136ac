import fc from "fast-check";
import { expect, test } from "vitest";
import { editDistance, nearest } from "./nearest.ts";

test.each([
  ["prot", "port"],
  ["PORT", "port"],
  ["trustedProxy", "trustedProxies"],
  ["completely-else", undefined],
  ["x", undefined],
])("the nearest to %s is %s", (word, expected) => {
  expect(nearest(word, ["port", "bind", "trustedProxies"])).toBe(expected);
});

test("the distance is symmetric, zero only for equal words, and at most the longer length", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
      const distance = editDistance(a, b);
      expect(distance).toBe(editDistance(b, a));
      expect(distance === 0).toBe(a === b);
      expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }),
  );
});
