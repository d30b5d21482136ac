import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createPendingRequests } from "./pending-requests.ts";
import type { PendingRequest } from "./pending-requests.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function pendingRequest(timeoutMs: number): PendingRequest & { outcome: Promise<unknown> } {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  promise.catch(() => {});
  return {
    method: "m",
    resolve,
    reject,
    timeoutMs,
    expectFinal: false,
    release: undefined,
    outcome: promise,
  };
}

test("a thousand requests with one timeout set one timer", () => {
  const setTimer = vi.spyOn(globalThis, "setTimeout");
  const pending = createPendingRequests(() => performance.now());
  for (let id = 0; id < 1_000; id++) pending.add(String(id), pendingRequest(30_000));
  expect(setTimer).toHaveBeenCalledTimes(1);
  pending.failAll(new Error("done"));
  expect(vi.getTimerCount()).toBe(0);
});

test("each request fails at its own deadline, also when a later one was added first", async () => {
  const pending = createPendingRequests(() => performance.now());
  const slow = pendingRequest(1_000);
  const quick = pendingRequest(100);
  pending.add("slow", slow);
  pending.add("quick", quick);
  await vi.advanceTimersByTimeAsync(100);
  await expect(quick.outcome).rejects.toMatchObject({ code: "REQUEST_TIMEOUT" });
  expect(pending.size).toBe(1);
  await vi.advanceTimersByTimeAsync(899);
  expect(pending.size).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  await expect(slow.outcome).rejects.toMatchObject({ code: "REQUEST_TIMEOUT" });
});

test("a request that was taken does not time out, and a new one after it does", async () => {
  const pending = createPendingRequests(() => performance.now());
  pending.add("a", pendingRequest(100));
  pending.take("a")?.resolve(1);
  await vi.advanceTimersByTimeAsync(200);
  const later = pendingRequest(100);
  pending.add("b", later);
  await vi.advanceTimersByTimeAsync(100);
  await expect(later.outcome).rejects.toMatchObject({ code: "REQUEST_TIMEOUT" });
});
