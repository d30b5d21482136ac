import { expect, onTestFinished, test, vi } from "vitest";
import { closeInTime, listenForStop } from "./stop-request.ts";
import { createMemoryIo } from "./testing.ts";

function createIo() {
  const terminated: number[] = [];
  const onTerminate = (exitCode: number): void => void terminated.push(exitCode);
  return { ...createMemoryIo({ home: "/nowhere", onTerminate }), terminated };
}

test("the first signal asks for an end, the second one does not wait for it", async () => {
  const { io, signal, terminated } = createIo();
  const stop = listenForStop(io);
  signal("SIGINT");
  expect(await stop.requested).toBe("SIGINT");
  expect(terminated).toEqual([]);
  signal("SIGTERM");
  expect(terminated).toEqual([1]);
  stop.release();
  signal("SIGTERM");
  expect(terminated).toEqual([1]);
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
