import { Writable } from "node:stream";
import { expect, test, vi } from "vitest";
import type { Ssh2Internals } from "./internals.ts";
import { limitReplies } from "./reply-limit.ts";

/** A connection that answers each question with ten bytes, and what the far side takes of them. */
function connection(): {
  socket: Writable;
  ask: (times: number) => void;
  answers: () => number;
  take: () => void;
} {
  let taken: (() => void) | undefined;
  const socket = new Writable({
    highWaterMark: 100,
    write(_chunk, _encoding, done) {
      taken = done;
    },
  });
  socket.on("error", () => {});
  const answer = vi.fn(() => void socket.write("ten bytes.", () => {}));
  const handlers = { GLOBAL_REQUEST: answer, CHANNEL_OPEN: answer, CHANNEL_REQUEST: answer };
  limitReplies({ protocol: { _handlers: handlers }, socket } as unknown as Ssh2Internals);
  return {
    socket,
    ask(times) {
      for (let at = 0; at < times; at += 1) handlers.GLOBAL_REQUEST();
    },
    answers: () => answer.mock.calls.length,
    take: () => taken?.(),
  };
}

test("a server that asks without end and takes no answer is left", () => {
  const { socket, ask, answers } = connection();
  ask(50_000);
  expect(socket.destroyed).toBe(true);
  expect(socket.errored).toMatchObject({ code: "CONNECTION_LOST" });
  expect(answers()).toBeLessThan(10_100);
});

test("a server that takes its answers may ask as often as it likes", () => {
  const { socket, ask, answers, take } = connection();
  for (let at = 0; at < 50_000; at += 1) {
    ask(1);
    take();
  }
  expect(socket.destroyed).toBe(false);
  expect(answers()).toBe(50_000);
});
