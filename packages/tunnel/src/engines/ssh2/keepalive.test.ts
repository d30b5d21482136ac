import { expect, onTestFinished, test, vi } from "vitest";
import { watchLiveness } from "./keepalive.ts";

function watched(intervalMs = 1_000, countMax = 3) {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const link = { received: 0, unsent: 0 };
  const ask = vi.fn(() => {});
  const dead = vi.fn(() => {});
  const liveness = watchLiveness({
    intervalMs,
    countMax,
    bytesReceived: () => link.received,
    bytesUnsent: () => link.unsent,
    ask,
    dead,
  });
  onTestFinished(() => liveness.stop());
  return { link, ask, dead, liveness };
}

test.each([
  [1_000, 3],
  [15_000, 3],
  [2_000, 1],
  [100, 10],
])("a dead peer is noticed within interval × count (%i × %i)", (intervalMs, countMax) => {
  const { ask, dead } = watched(intervalMs, countMax);
  // Each of the parts is a whole number of milliseconds.
  vi.advanceTimersByTime(intervalMs * countMax - countMax - 2);
  expect(dead).not.toHaveBeenCalled();
  vi.advanceTimersByTime(countMax + 2);
  expect(dead).toHaveBeenCalledOnce();
  expect(ask).toHaveBeenCalledTimes(countMax);
  vi.advanceTimersByTime(intervalMs * 10);
  expect(dead).toHaveBeenCalledOnce();
});

test("any byte that arrives is life", () => {
  const { link, dead } = watched();
  for (let second = 0; second < 100; second += 1) {
    vi.advanceTimersByTime(700);
    link.received += 1;
  }
  expect(dead).not.toHaveBeenCalled();
});

test("a slow link that still takes what waits is never cut; one that takes nothing is", () => {
  const { link, dead, ask } = watched();
  ask.mockImplementation(() => void (link.unsent += 64));
  link.unsent = 1_000_000;
  for (let second = 0; second < 100; second += 1) {
    vi.advanceTimersByTime(700);
    link.unsent -= 1_000;
  }
  expect(dead).not.toHaveBeenCalled();
  vi.advanceTimersByTime(3_750);
  expect(dead).toHaveBeenCalledOnce();
});

test("a probe resolves with the next byte, and rejects without one", async () => {
  const { link, ask, liveness } = watched();
  const answered = liveness.probe(500);
  expect(ask).toHaveBeenCalledOnce();
  link.received += 1;
  await vi.advanceTimersByTimeAsync(30);
  await expect(answered).resolves.toBeUndefined();
  await Promise.all([
    expect(liveness.probe(500)).rejects.toThrow("500 ms"),
    vi.advanceTimersByTimeAsync(550),
  ]);
});

test("what waits for an answer hears of the end, and nothing is left behind", async () => {
  const { liveness } = watched();
  const waiting = liveness.probe(500);
  liveness.stop();
  await expect(waiting).rejects.toThrow("closed");
  expect(vi.getTimerCount()).toBe(0);
  await expect(liveness.probe(500)).rejects.toThrow("closed");
});

test("a program that stood still looks for the answer before it gives up", async () => {
  const { link, liveness } = watched();
  const answered = vi.fn(() => {});
  const probing = liveness.probe(1_000).then(answered);
  const later = performance.now() + 60_000;
  vi.spyOn(performance, "now").mockReturnValue(later);
  onTestFinished(() => void vi.restoreAllMocks());
  await vi.advanceTimersByTimeAsync(25);
  link.received += 1;
  await vi.advanceTimersByTimeAsync(25);
  expect(answered).toHaveBeenCalledOnce();
  await probing;
});
