import { expect, onTestFinished, test, vi } from "vitest";
import { createKeepalive } from "./keepalive.ts";
import type { PeerSocket } from "./peer-socket.ts";

const INTERVAL_MS = 5_000;

function watchOne() {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const counters = { bytesRead: 0, bytesWritten: 0, bufferedBytes: 0 };
  const ping = vi.fn(() => void (counters.bytesWritten += 2));
  // The keepalive uses nothing else of a socket.
  const socket = Object.assign(counters, { ping }) as unknown as PeerSocket;
  const onDead = vi.fn();
  const keepalive = createKeepalive({ intervalMs: INTERVAL_MS, now: () => Date.now(), onDead });
  onTestFinished(() => keepalive.stop());
  const unwatch = keepalive.watch(socket);
  return { counters, ping, onDead, unwatch };
}

/** Lets seconds pass; `each` runs before each of them. */
async function seconds(count: number, each: () => void = () => undefined): Promise<void> {
  for (let second = 0; second < count; second += 1) {
    each();
    await vi.advanceTimersByTimeAsync(1_000);
  }
}

test("a silent peer is pinged within one interval and dead within two", async () => {
  const { ping, onDead } = watchOne();

  await seconds(5);
  expect(ping).toHaveBeenCalledTimes(1);
  await seconds(3);
  expect(onDead).not.toHaveBeenCalled();
  await seconds(2);
  expect(onDead).toHaveBeenCalledTimes(1);
  await seconds(30);
  expect(onDead).toHaveBeenCalledTimes(1);
});

test("a peer that answers pings lives, and is pinged once an interval", async () => {
  const { counters, ping, onDead } = watchOne();
  ping.mockImplementation(() => {
    counters.bytesWritten += 2;
    counters.bytesRead += 2;
  });

  await seconds(50);

  expect(onDead).not.toHaveBeenCalled();
  expect(ping.mock.calls.length).toBeLessThanOrEqual(12);
});

test("what waits for a slow peer and keeps leaving is life", async () => {
  const { counters, onDead } = watchOne();
  counters.bytesWritten += 1_000_000;
  counters.bufferedBytes = 1_000_000;

  await seconds(60, () => (counters.bufferedBytes -= 2_000));
  expect(onDead).not.toHaveBeenCalled();

  // What has not even left us gives a dead link no more time.
  await seconds(10);
  expect(onDead).toHaveBeenCalledTimes(1);
});

test("a ping behind a large transfer is given the time that the transfer needs", async () => {
  const { counters, onDead } = watchOne();
  // All of it taken over by the kernels on the way: 1 MB is 8 s at 1 Mbit/s, less what is allowed.
  counters.bytesWritten += 1_000_000;

  await seconds(14);
  expect(onDead).not.toHaveBeenCalled();
  await seconds(4);
  expect(onDead).toHaveBeenCalledTimes(1);
});

test("a peer that only sends to us is pinged, since its own pings wait behind its bytes", async () => {
  const { counters, ping, onDead } = watchOne();

  await seconds(20, () => (counters.bytesRead += 50_000));
  expect(ping.mock.calls.length).toBeGreaterThanOrEqual(4);
  expect(ping.mock.calls.length).toBeLessThanOrEqual(5);
  expect(onDead).not.toHaveBeenCalled();

  // Those pings are no sign of life.
  await seconds(10);
  expect(onDead).toHaveBeenCalledTimes(1);
});

test("a socket that is not watched any more is left alone", async () => {
  const { ping, onDead, unwatch } = watchOne();

  unwatch();
  await seconds(20);

  expect(ping).not.toHaveBeenCalled();
  expect(onDead).not.toHaveBeenCalled();
});

test("a process that slept does not blame its peers", async () => {
  const { onDead } = watchOne();

  await seconds(5);
  vi.setSystemTime(Date.now() + 60_000);
  await seconds(3);

  expect(onDead).not.toHaveBeenCalled();
});
