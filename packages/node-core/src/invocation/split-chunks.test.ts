import fc from "fast-check";
import { expect, test } from "vitest";
import { splitChunks } from "./split-chunks.ts";

test("pieces keep within the limit, are whole characters, and make up the text again", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 2, max: 9 }), (text, max) => {
      const pieces = splitChunks(text, max);
      expect(pieces.join("")).toBe(text);
      for (const piece of pieces) {
        expect(piece.length).toBeLessThanOrEqual(max);
        expect(piece.length).toBeGreaterThan(0);
        expect(piece.isWellFormed()).toBe(text.isWellFormed());
      }
    }),
  );
});
