import { expect, test } from "vitest";
import { createSeededRandom } from "../src/random.ts";

test("the same seed gives the same sequence, and another seed another", () => {
  const draw = (seed: number) => {
    const random = createSeededRandom(seed);
    return Array.from({ length: 20 }, () => random.between(0, 1_000));
  };

  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

test("numbers stay within their bounds and reach both", () => {
  const random = createSeededRandom(1);
  const drawn = new Set(Array.from({ length: 200 }, () => random.between(3, 5)));

  expect(drawn).toEqual(new Set([3, 4, 5]));
});
