import { expect, test } from "vitest";
import { resolveRequestTimeoutMs } from "./request-timeout.ts";

const DAY_MS = 86_400_000;

function resolve(timeoutMs: number | undefined, method = "health", params: unknown = {}): number {
  return resolveRequestTimeoutMs(timeoutMs, { method, params, defaultMs: 30_000 });
}

test("0, absent and not-a-number mean the default, more than a day means a day", () => {
  expect(resolve(undefined)).toBe(30_000);
  expect(resolve(0)).toBe(30_000);
  expect(resolve(Number.NaN)).toBe(30_000);
  expect(resolve(-1)).toBe(30_000);
  expect(resolve(1)).toBe(1);
  expect(resolve(Infinity)).toBe(DAY_MS);
  expect(resolve(Number.MAX_SAFE_INTEGER)).toBe(DAY_MS);
});

test("node.invoke waits as long as the invocation may run, so that the Gateway's answer comes first", () => {
  expect(resolve(undefined, "node.invoke", { timeoutMs: 1_200_000 })).toBe(1_210_000);
  expect(resolve(undefined, "node.invoke", {})).toBe(40_000);
  expect(resolve(undefined, "node.invoke", { timeoutMs: 0 })).toBe(40_000);
  expect(resolve(undefined, "node.invoke", { timeoutMs: 10 * DAY_MS })).toBe(DAY_MS + 10_000);
  expect(resolve(5_000, "node.invoke", { timeoutMs: 1_200_000 })).toBe(5_000);
});
