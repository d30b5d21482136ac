import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createLinkedTransports } from "../../test/support/linked-transports.ts";
import { watchLiveness } from "./liveness.ts";
import type { LinkedTransport } from "../../test/support/linked-transports.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watch(keepalive = true) {
  const [near, far] = createLinkedTransports();
  const ping = vi.spyOn(near, "ping");
  const onSilent = vi.fn();
  const onTickTimeout = vi.fn();
  const liveness = watchLiveness(near, {
    intervalMs: keepalive ? 5_000 : undefined,
    tickIntervalMs: 30_000,
    onSilent,
    onTickTimeout,
  });
  return { near, far, ping, onSilent, onTickTimeout, liveness };
}

async function seconds(
  count: number,
  each: (near: LinkedTransport) => void,
  near: LinkedTransport,
) {
  for (let second = 0; second < count; second++) {
    each(near);
    await vi.advanceTimersByTimeAsync(1_000);
  }
}

test("a silent line is pinged after five seconds and given up after ten", async () => {
  const { far, ping, onSilent } = watch();
  far.freeze();
  await vi.advanceTimersByTimeAsync(4_000);
  expect(ping).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(ping).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(4_000);
  expect(onSilent).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(onSilent).toHaveBeenCalledTimes(1);
  expect(vi.getTimerCount()).toBe(0);
});

test("a line that answers pings stays", async () => {
  const { ping, onSilent, liveness } = watch();
  await vi.advanceTimersByTimeAsync(50_000);
  expect(ping.mock.calls.length).toBeGreaterThanOrEqual(8);
  expect(onSilent).not.toHaveBeenCalled();
  liveness.stop();
});

test("bytes of an unfinished frame are life, for the ping and for the tick", async () => {
  const { near, far, onSilent, onTickTimeout } = watch();
  far.freeze();
  await seconds(200, () => near.receivePartly(1_000), near);
  expect(onSilent).not.toHaveBeenCalled();
  expect(onTickTimeout).not.toHaveBeenCalled();
});

test("a side that only receives shows life to the sender, whose pings queue behind its bytes", async () => {
  const { near, far, ping } = watch();
  far.freeze();
  await seconds(20, () => near.receivePartly(1_000), near);
  expect(ping).toHaveBeenCalledTimes(4);
});

test("a gateway that answers pings but sends no frames is closed after two tick intervals", async () => {
  const { onSilent, onTickTimeout } = watch();
  await vi.advanceTimersByTimeAsync(59_000);
  expect(onTickTimeout).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(onTickTimeout).toHaveBeenCalledTimes(1);
  expect(onSilent).not.toHaveBeenCalled();
});

test("without pings the tick watchdog stays", async () => {
  const { far, ping, onTickTimeout } = watch(false);
  far.freeze();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(ping).not.toHaveBeenCalled();
  expect(onTickTimeout).toHaveBeenCalledTimes(1);
});

test("a frame starts the tick interval anew", async () => {
  const { liveness, onTickTimeout } = watch();
  await vi.advanceTimersByTimeAsync(50_000);
  liveness.frameSeen();
  await vi.advanceTimersByTimeAsync(50_000);
  expect(onTickTimeout).not.toHaveBeenCalled();
  liveness.stop();
});

test("an upload that moves is not cut, and what the line still carries is waited for", async () => {
  const { near, far, onSilent } = watch();
  far.freeze();
  near.setBuffered(64 * 1024 * 1024);
  await seconds(50, () => near.write(128 * 1024), near);
  near.setBuffered(0);
  // 6.25 MiB may wait in buffers on the way: at the slowest rate that takes some 200 s.
  await vi.advanceTimersByTimeAsync(30_000);
  expect(onSilent).not.toHaveBeenCalled();
});

test("an upload into a line that takes nothing any more is given up", async () => {
  const { near, far, onSilent } = watch();
  far.freeze();
  near.setBuffered(64 * 1024 * 1024);
  await vi.advanceTimersByTimeAsync(11_000);
  expect(onSilent).toHaveBeenCalledTimes(1);
});

test("a stall of this process alone does not make the peer look dead", async () => {
  const { near, onSilent, liveness } = watch();
  vi.setSystemTime(Date.now() + 3_600_000);
  await vi.advanceTimersByTimeAsync(1_000);
  near.receivePartly(10);
  expect(onSilent).not.toHaveBeenCalled();
  liveness.stop();
});
