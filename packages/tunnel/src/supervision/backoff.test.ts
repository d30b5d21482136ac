import fc from "fast-check";
import { expect, test } from "vitest";
import { backoffDelayMs, defaultBackoff } from "./backoff.ts";

test("pauses stay within their bounds, whatever the outage", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.integer({ min: 0, max: 10 ** 9 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (failures, lastedMs, chance) => {
        const outage = { failures, lastedMs, wasRefused: false };
        const delayMs = backoffDelayMs(outage, defaultBackoff, () => chance);
        expect(delayMs).toBeGreaterThanOrEqual(0);
        expect(delayMs).toBeLessThanOrEqual(defaultBackoff.maxMs);
        if (failures === 1) expect(delayMs).toBeLessThanOrEqual(defaultBackoff.baseMs);
      },
    ),
  );
});

test("in the first seconds of an outage no pause is longer than two seconds, after minutes fifteen", () => {
  const longest = (lastedMs: number): number =>
    backoffDelayMs({ failures: 20, lastedMs, wasRefused: false }, defaultBackoff, () => 0.999_999);
  expect(longest(1_000)).toBe(2_000);
  expect(longest(16_000)).toBe(2_000);
  expect(longest(60_000)).toBe(7_500);
  expect(longest(3_600_000)).toBe(15_000);
});

test("a server that refuses us is asked seldom", () => {
  const outage = { failures: 1, lastedMs: 0, wasRefused: true };
  expect(backoffDelayMs(outage, defaultBackoff, () => 0)).toBe(15_000);
});
