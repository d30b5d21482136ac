import { expect, onTestFinished, test, vi } from "vitest";
import type { StopSignal } from "./program-io.ts";
import { closeInTime, listenForStop } from "./stop-request.ts";

function createIo() {
  const listeners = new Set<(signal: StopSignal) => void>();
  const terminated: number[] = [];
  return {
    terminated,
    listeners,
    send: (signal: StopSignal) => listeners.forEach((listener) => listener(signal)),
    io: {
      onSignal(listener: (signal: StopSignal) => void) {
        listeners.add(listener);
        return () => void listeners.delete(listener);
      },
      terminate: (exitCode: number) => void terminated.push(exitCode),
    },
  };
}

test("the first signal asks for an end, the second one does not wait for it", async () => {
  const { io, send, terminated, listeners } = createIo();
  const stop = listenForStop(io);
  send("SIGINT");
  expect(await stop.requested).toBe("SIGINT");
  expect(terminated).toEqual([]);
  send("SIGTERM");
  expect(terminated).toEqual([1]);
  stop.release();
  expect(listeners.size).toBe(0);
});

test("an abort asks for an end, also one of before", async () => {
  const controller = new AbortController();
  const stop = listenForStop(createIo().io, controller.signal);
  controller.abort();
  expect(await stop.requested).toBe("abort");
  expect(await listenForStop(createIo().io, AbortSignal.abort()).requested).toBe("abort");
});

test("a close that hangs is cut short, and one that ends in time is not", async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { io, terminated } = createIo();
  const onTimeout = vi.fn<() => void>();
  await closeInTime(() => Promise.resolve(), { io, timeoutMs: 100, onTimeout });
  await vi.advanceTimersByTimeAsync(200);
  expect(terminated).toEqual([]);

  const hanging = Promise.withResolvers<void>();
  const closed = closeInTime(() => hanging.promise, { io, timeoutMs: 100, onTimeout });
  await vi.advanceTimersByTimeAsync(100);
  expect(terminated).toEqual([1]);
  expect(onTimeout).toHaveBeenCalledOnce();
  hanging.resolve();
  await closed;
});
