import fc from "fast-check";
import { expect, test } from "vitest";
import { GatewayError } from "../errors.ts";
import { backoffDelayMs, defaultBackoff } from "./backoff.ts";
import { retryDelayMs } from "./retry-delay.ts";

const lost = new GatewayError("CONNECTION_LOST", "gone");
const input = {
  error: lost,
  failures: 1,
  pairingForMs: 0,
  backoff: defaultBackoff,
  random: () => 0.5,
};

test("the pause grows to its ceiling and has full jitter", () => {
  fc.assert(
    fc.property(
      fc.nat(2_000),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (attempt, r) => {
        const delay = backoffDelayMs(attempt, defaultBackoff, () => r);
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(Math.min(30_000, 1_000 * 2 ** attempt));
      },
    ),
  );
  expect(backoffDelayMs(0, defaultBackoff, () => 0)).toBe(0);
});

test("a device that waits for approval asks at least every 600 ms for five minutes, then slower", () => {
  const error = new GatewayError("PAIRING_REQUIRED", "pairing required");
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.nat(299_999),
      (r, ms) => {
        const delay = retryDelayMs({ ...input, error, random: () => r, pairingForMs: ms });
        expect(delay).toBeGreaterThanOrEqual(300);
        expect(delay).toBeLessThanOrEqual(600);
      },
    ),
  );
  expect(retryDelayMs({ ...input, error, pairingForMs: 300_000 })).toBe(7_500);
});

test("a pause that the Gateway names is a floor, with jitter on top, and bounded", () => {
  const asked = (retryAfterMs: number): GatewayError =>
    new GatewayError("CONNECTION_LOST", "restart", { retryAfterMs });
  expect(retryDelayMs({ ...input, error: asked(2_000) })).toBe(2_500);
  expect(retryDelayMs({ ...input, error: asked(1e12) })).toBeLessThanOrEqual(5 * 60_000 + 1_000);
  expect(retryDelayMs({ ...input, error: asked(10), failures: 6 })).toBe(15_000);
});

test("authentication that may heal is tried on a slower schedule", () => {
  const error = new GatewayError("AUTH_FAILED", "rate limited");
  expect(retryDelayMs({ ...input, error })).toBe(45_000);
});
