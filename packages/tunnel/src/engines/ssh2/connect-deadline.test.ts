import { expect, onTestFinished, test, vi } from "vitest";
import { startConnectDeadline } from "./connect-deadline.ts";

test("the clock stands still while a person is asked, and goes on with what is left", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const expired = vi.fn(() => {});
  const deadline = startConnectDeadline(1_000, expired);
  vi.advanceTimersByTime(600);
  deadline.pause(true);
  vi.advanceTimersByTime(60_000);
  expect(expired).not.toHaveBeenCalled();
  deadline.pause(false);
  vi.advanceTimersByTime(399);
  expect(expired).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(expired).toHaveBeenCalledOnce();
});

test("after clear() nothing runs any more, also when an answer comes late", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const expired = vi.fn(() => {});
  const deadline = startConnectDeadline(1_000, expired);
  deadline.pause(true);
  deadline.clear();
  deadline.pause(false);
  expect(vi.getTimerCount()).toBe(0);
});
