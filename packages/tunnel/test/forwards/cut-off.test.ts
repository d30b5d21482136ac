import { createServer } from "node:net";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { temporaryDirectory } from "@openclaw/testkit";
import { expect, onTestFinished, test } from "vitest";
import { cutOff } from "../../src/forwards/cut-off.ts";
import { acceptor, closeOf, dial, endOf } from "./tcp.ts";

test("a TCP connection is reset, with what it had still to send", async () => {
  await using near = await acceptor();
  const client = await dial(near);
  const local = await near.next();
  local.write(Buffer.alloc(20_000_000));
  expect(local.writableLength).toBeGreaterThan(0);
  const closed = closeOf(local);
  cutOff(local);
  await closed;
  await expect(endOf(client)).resolves.toBe("ECONNRESET");
});

test.for([
  ["at once", () => Promise.resolve()],
  ["a tick later", () => new Promise<void>((resolve) => process.nextTick(resolve))],
  ["a turn later", () => setImmediate()],
] as const)("a connection that is ending can be cut off %s", async ([, pause]) => {
  await using near = await acceptor();
  for (let round = 0; round < 20; round += 1) {
    /* oxlint-disable no-await-in-loop */
    const client = await dial(near);
    const local = await near.next();
    const errors: Error[] = [];
    local.on("error", (error) => errors.push(error));
    const closed = closeOf(local);
    local.end("bye");
    await pause();
    cutOff(local);
    await closed;
    expect(errors).toEqual([]);
    await expect(endOf(client)).resolves.toMatch(/^(?:end|ECONNRESET)$/u);
    client.destroy();
  }
});

test("a Unix socket and any other stream are destroyed", async () => {
  await using directory = await temporaryDirectory();
  const server = createServer();
  server.listen({ path: directory.file("a.sock") });
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const accepted = once(server, "connection");
  const client = await dial({ path: directory.file("a.sock") });
  await accepted;
  for (const stream of [client, new PassThrough()]) {
    cutOff(stream);
    cutOff(stream);
    expect(stream.destroyed).toBe(true);
  }
});
