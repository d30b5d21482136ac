import fc from "fast-check";
import { expect, test } from "vitest";
import {
  DEFAULT_INVOKE_TIMEOUT_MS,
  MAX_INVOKE_TIMEOUT_MS,
  resolveInvokeTimeoutMs,
} from "./limits.ts";

test("an absent and a zero deadline mean the default", () => {
  expect(resolveInvokeTimeoutMs(undefined)).toBe(DEFAULT_INVOKE_TIMEOUT_MS);
  expect(resolveInvokeTimeoutMs(0)).toBe(DEFAULT_INVOKE_TIMEOUT_MS);
});

test("a deadline between is kept, a huge one is cut", () => {
  expect(resolveInvokeTimeoutMs(15_000)).toBe(15_000);
  expect(resolveInvokeTimeoutMs(Number.MAX_SAFE_INTEGER)).toBe(MAX_INVOKE_TIMEOUT_MS);
  expect(resolveInvokeTimeoutMs(Infinity)).toBe(MAX_INVOKE_TIMEOUT_MS);
});

test("whatever is asked for, the deadline fits a timer, and a second hop changes nothing", () => {
  fc.assert(
    fc.property(fc.double(), (timeoutMs) => {
      const resolved = resolveInvokeTimeoutMs(timeoutMs);
      expect(Number.isInteger(resolved)).toBe(true);
      expect(resolved).toBeGreaterThan(0);
      // setTimeout takes longer delays for 1 ms.
      expect(resolved).toBeLessThan(2 ** 31);
      expect(resolveInvokeTimeoutMs(resolved)).toBe(resolved);
    }),
  );
});
