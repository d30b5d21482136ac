import { expect, test } from "vitest";
import { median, medianRatio, quantile } from "./statistics.ts";

test("quantiles are interpolated between the samples around them", () => {
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([1, 2, 3], 0)).toBe(1);
  expect(quantile([1, 2, 3], 1)).toBe(3);
  expect(median([7])).toBe(7);
  expect(median([])).toBeNaN();
});

test("a ratio is taken pair by pair, so that a slow moment hits both sides of it", () => {
  expect(medianRatio([2, 20, 2], [1, 10, 1])).toBe(2);
  expect(medianRatio([2, 20], [1])).toBe(2);
});
