import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { readGreeting } from "./greeting.ts";
import { askForUpgrade } from "./http-probe.ts";

// A person who presses Ctrl-C must not be told that the far side says nothing.
const probes = {
  "a greeting": (stream: PassThrough, signal: AbortSignal) =>
    readGreeting(stream, Buffer.alloc(0), { timeoutMs: 60_000, signal }),
  "an upgrade": (stream: PassThrough, signal: AbortSignal) =>
    askForUpgrade(stream, { host: "box", path: "/", timeoutMs: 60_000, signal }),
};

test.each(Object.entries(probes))("waiting for %s is given up with the reason", async (_, ask) => {
  const stream = new PassThrough();
  const controller = new AbortController();
  const asked = ask(stream, controller.signal);
  const reason = new Error("no longer wanted");
  controller.abort(reason);
  await expect(asked).rejects.toBe(reason);
  expect(stream.destroyed).toBe(true);
});

test.each(Object.entries(probes))("%s is not waited for once it was given up", async (_, ask) => {
  const reason = new Error("given up before");
  await expect(ask(new PassThrough(), AbortSignal.abort(reason))).rejects.toBe(reason);
});
