import { expect, onTestFinished, test, vi } from "vitest";
import { watchForWake } from "./wake.ts";

test("sleep is noticed by the clock on the wall, and a quiet machine is not taken for one that slept", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const woke = vi.fn(() => {});
  const stop = watchForWake(woke);
  vi.advanceTimersByTime(60_000);
  expect(woke).not.toHaveBeenCalled();
  // The wall clock has gone on for an hour, the monotonic one has not.
  vi.setSystemTime(Date.now() + 3_600_000);
  vi.advanceTimersByTime(2_000);
  expect(woke).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(60_000);
  expect(woke).toHaveBeenCalledOnce();
  stop();
  expect(vi.getTimerCount()).toBe(0);
});
