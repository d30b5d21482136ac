import fc from "fast-check";
import { expect, test } from "vitest";
import { CLOSE_REASON, truncateCloseReason } from "./close-codes.ts";

const bytes = (text: string): number => new TextEncoder().encode(text).length;

test("a reason that fits is left alone", () => {
  for (const reason of Object.values(CLOSE_REASON))
    expect(truncateCloseReason(reason)).toBe(reason);
});

test("a long reason is cut to 120 bytes", () => {
  expect(truncateCloseReason("x".repeat(500))).toBe("x".repeat(120));
  expect(truncateCloseReason("ü".repeat(100))).toBe("ü".repeat(60));
});

test("no character is cut in half", () => {
  expect(truncateCloseReason(`${"x".repeat(118)}😀`)).toBe("x".repeat(118));
});

test("any text ends within the limit, and as late as it can", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", minLength: 0, maxLength: 200 }), (text) => {
      const cut = truncateCloseReason(text);
      expect(text.startsWith(cut)).toBe(true);
      expect(bytes(cut)).toBeLessThanOrEqual(120);
      const [next] = text.slice(cut.length);
      if (next !== undefined) expect(bytes(cut + next)).toBeGreaterThan(120);
    }),
  );
});
