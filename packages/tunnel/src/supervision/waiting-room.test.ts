import { expect, onTestFinished, test, vi } from "vitest";
import { TunnelError } from "../errors.ts";
import { createWaitingRoom } from "./waiting-room.ts";

function room(max = 2) {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const cause = new TunnelError("CONNECTION_REFUSED", "nothing listens on box:22.");
  return { cause, waiting: createWaitingRoom<string>({ timeoutMs: 1_000, max }, () => cause) };
}

test("everybody is let go, and the room is empty", async () => {
  const { waiting } = room();
  const both = [waiting.wait(undefined), waiting.wait(undefined)];
  expect(waiting.size).toBe(2);
  waiting.admit("open");
  expect(await Promise.all(both)).toEqual(["open", "open"]);
  expect(waiting.size).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});

test("one too many is refused at once, with the reason", async () => {
  const { waiting, cause } = room(1);
  const first = waiting.wait(undefined);
  await expect(waiting.wait(undefined)).rejects.toMatchObject({ code: "TOO_MANY_WAITING", cause });
  waiting.admit("open");
  await expect(first).resolves.toBe("open");
});

test("who waits too long is told what it waited for", async () => {
  const { waiting } = room();
  await Promise.all([
    expect(waiting.wait(undefined)).rejects.toMatchObject({
      code: "WAIT_EXPIRED",
      message: expect.stringContaining("nothing listens on box:22"),
    }),
    vi.advanceTimersByTimeAsync(1_000),
  ]);
  expect(waiting.size).toBe(0);
});

test("who gives up leaves", async () => {
  const { waiting } = room();
  const controller = new AbortController();
  const leaving = waiting.wait(controller.signal);
  controller.abort(new Error("enough"));
  await expect(leaving).rejects.toThrow("enough");
  expect(waiting.size).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
  await expect(waiting.wait(controller.signal)).rejects.toThrow("enough");
});
