import { expect, onTestFinished, test, vi } from "vitest";
import { startConnectDeadline } from "./connect-deadline.ts";

test("the clock stands still while a person is asked, and goes on with what is left", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const expired = vi.fn(() => {});
  const answer = Promise.withResolvers<string>();
  const { callbacks } = startConnectDeadline(1_000, { password: () => answer.promise }, expired);
  await vi.advanceTimersByTimeAsync(600);
  const asked = callbacks.password?.({ user: "me", host: "box" });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(expired).not.toHaveBeenCalled();
  answer.resolve("secret");
  await expect(asked).resolves.toBe("secret");
  await vi.advanceTimersByTimeAsync(399);
  expect(expired).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(expired).toHaveBeenCalledOnce();
});

test("after clear() nothing runs any more, also when an answer comes late", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const expired = vi.fn(() => {});
  const answer = Promise.withResolvers<undefined>();
  const deadline = startConnectDeadline(1_000, { passphrase: () => answer.promise }, expired);
  const asked = deadline.callbacks.passphrase?.("id", 1);
  deadline.clear();
  answer.resolve(undefined);
  await asked;
  expect(vi.getTimerCount()).toBe(0);
});

test("what nobody answers is not offered", () => {
  const deadline = startConnectDeadline(1_000, {}, () => {});
  expect(deadline.callbacks).toEqual({});
  deadline.clear();
});
