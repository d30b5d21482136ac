import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFileLedger } from "@openclaw/ledger";
import { defineCommand, type NodeCommand } from "@openclaw/node-core";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { createFakePeer, NODE_ID } from "./fake-peer.ts";
import { echo, gated, setUp, useFakeClock } from "./handler-bench.ts";

describe("a lost connection", () => {
  test("does not stop the command; the next sync is answered with the stored result", async () => {
    const gate = gated();
    const { peer, ledger } = setUp([gate.command]);
    const { id } = peer.invoke({ command: "test.gated", idempotencyKey: "k" });
    await vi.waitFor(() => expect(gate.runs).toBe(1));
    peer.disconnect();
    gate.release();
    await vi.waitFor(() => expect(ledger.get("k")?.stage).toBe("finished"));
    expect(peer.results).toEqual([]);
    peer.unresolved = [{ id, idempotencyKey: "k" }];
    peer.connect();
    expect(await peer.result(id)).toMatchObject({ ok: true, payloadJSON: '{"run":1}' });
  });

  test("before the answer was acknowledged leads to the same answer again", async () => {
    const { peer } = setUp([echo]);
    const sent = Promise.withResolvers<void>();
    const unanswered = Promise.withResolvers<unknown>();
    const respond = peer.respond;
    peer.respond = (method, params) => {
      if (method !== "node.invoke.result") return respond(method, params);
      sent.resolve();
      return unanswered.promise;
    };
    const { id } = peer.invoke({
      command: "test.echo",
      paramsJSON: '{"text":"hi"}',
      idempotencyKey: "k",
    });
    await sent.promise;
    peer.disconnect();
    unanswered.resolve(undefined);
    peer.respond = respond;
    peer.unresolved = [{ id, idempotencyKey: "k" }];
    peer.connect();
    await vi.waitFor(() => expect(peer.results).toHaveLength(2));
    expect(peer.results[0]).toEqual(peer.results[1]);
  });

  test("while the command runs on: sync says nothing yet, the result follows", async () => {
    const gate = gated();
    const { peer } = setUp([gate.command]);
    const { id } = peer.invoke({ command: "test.gated", idempotencyKey: "k" });
    await vi.waitFor(() => expect(gate.runs).toBe(1));
    peer.disconnect();
    peer.unresolved = [{ id, idempotencyKey: "k" }];
    peer.connect();
    await new Promise((resolve) => setImmediate(resolve));
    expect(peer.results).toEqual([]);
    gate.release();
    expect((await peer.result(id)).ok).toBe(true);
    expect(peer.results).toHaveLength(1);
  });

  test("of a key never seen is NOT_RECEIVED with a durable ledger", async () => {
    const directory = mkdtempSync(join(tmpdir(), "node-ledger-"));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const ledger = createFileLedger({ directory });
    onTestFinished(() => ledger.close());
    const peer = createFakePeer({ connected: false });
    setUp([echo], { ledger, peer });
    peer.unresolved = [{ id: "i-9", idempotencyKey: "never seen" }];
    peer.connect();
    expect((await peer.result("i-9")).error?.code).toBe("NOT_RECEIVED");
  });

  test("of a key never seen is INTERRUPTED when the ledger may have forgotten it", async () => {
    const peer = createFakePeer({ connected: false });
    setUp([echo], { peer });
    peer.unresolved = [{ id: "i-9", idempotencyKey: "never seen" }];
    peer.connect();
    expect((await peer.result("i-9")).error?.code).toBe("INTERRUPTED");
  });

  test("asks nothing of a Gateway that does not serve node.invoke.sync", async () => {
    const peer = createFakePeer({ methods: [], connected: false });
    setUp([echo], { peer });
    const respond = vi.fn(peer.respond);
    peer.respond = respond;
    peer.connect();
    const { id } = peer.invoke({ command: "test.echo", paramsJSON: '{"text":"hi"}' });
    await peer.result(id);
    expect(respond.mock.calls.map(([method]) => method)).toEqual(["node.invoke.result"]);
  });
});

test("a Gateway whose hello says nothing of what it serves is sent results and nothing else", async () => {
  const peer = Object.defineProperty(createFakePeer(), "hello", { value: {} });
  setUp([echo], { peer });
  const { id } = peer.invoke({ command: "test.echo", paramsJSON: '{"text":"hi"}' });
  expect(await peer.result(id)).toMatchObject({ ok: true });
  expect(peer.progress).toEqual([]);
});

describe("a result that the connection has no room for", () => {
  test("is offered again", async () => {
    useFakeClock();
    const { peer } = setUp([echo]);
    let isFull = true;
    peer.respond = () => {
      if (isFull) throw Object.assign(new Error("too much is waiting"), { code: "BACKPRESSURE" });
      return { ok: true };
    };
    peer.invoke({ command: "test.echo", paramsJSON: '{"text":"hi"}' });
    await vi.advanceTimersByTimeAsync(500);
    isFull = false;
    const offers = peer.results.length;
    await vi.advanceTimersByTimeAsync(5_000);
    expect(peer.results).toHaveLength(offers + 1);
  });
});

describe("a result that the Gateway cannot take now", () => {
  const refused = (retryable: boolean): Error =>
    Object.assign(new Error("result could not be recorded"), { code: "UNAVAILABLE", retryable });

  test("is offered again until it is taken, less and less often", async () => {
    useFakeClock();
    const { peer } = setUp([echo]);
    let isFull = true;
    peer.respond = () => {
      if (isFull) throw refused(true);
      return { ok: true };
    };
    peer.invoke({ command: "test.echo", paramsJSON: '{"text":"hi"}' });
    await vi.advanceTimersByTimeAsync(60_000);
    const offers = peer.results.length;
    expect(offers).toBeGreaterThan(3);
    expect(offers).toBeLessThan(10);
    isFull = false;
    await vi.advanceTimersByTimeAsync(120_000);
    expect(peer.results).toHaveLength(offers + 1);
  });

  test("and never will, is kept and not offered again", async () => {
    useFakeClock();
    const { peer } = setUp([echo]);
    peer.respond = () => {
      throw refused(false);
    };
    peer.invoke({ command: "test.echo", paramsJSON: '{"text":"hi"}' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(peer.results).toHaveLength(1);
  });
});

describe("live output", () => {
  const talker = (lines: string[], gate?: Promise<void>): NodeCommand =>
    defineCommand({
      name: "talk",
      params: z.object({}),
      async run(_, { progress }) {
        for (const line of lines) progress(line);
        await gate;
      },
    });

  test("is numbered from 0, cut into pieces, and sent before the result", async () => {
    const { peer } = setUp([talker(["one", "x".repeat(16_383) + "🦞".repeat(2), ""])]);
    const order: string[] = [];
    const respond = peer.respond;
    peer.respond = (method, params) => {
      order.push(method);
      return respond(method, params);
    };
    const { id } = peer.invoke({ command: "talk" });
    await peer.result(id);
    expect(peer.progress).toEqual([
      { invokeId: id, nodeId: NODE_ID, seq: 0, chunk: "one" },
      { invokeId: id, nodeId: NODE_ID, seq: 1, chunk: "x".repeat(16_383) },
      { invokeId: id, nodeId: NODE_ID, seq: 2, chunk: "🦞🦞" },
    ]);
    expect(order.at(-1)).toBe("node.invoke.result");
  });

  test("waits for a new connection, and then goes on without gaps", async () => {
    const gate = Promise.withResolvers<void>();
    const more = Promise.withResolvers<void>();
    const command = defineCommand({
      name: "talk",
      params: z.object({}),
      async run(_, { progress }) {
        progress("a");
        await more.promise;
        progress("b");
        progress("c");
        await gate.promise;
      },
    });
    const { peer } = setUp([command]);
    const { id } = peer.invoke({ command: "talk", idempotencyKey: "k" });
    await vi.waitFor(() => expect(peer.progress).toHaveLength(1));
    await new Promise((resolve) => setImmediate(resolve));
    peer.disconnect();
    more.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    peer.unresolved = [{ id, idempotencyKey: "k" }];
    peer.connect();
    await vi.waitFor(() => expect(peer.progress).toHaveLength(3));
    gate.resolve();
    await peer.result(id);
    expect(peer.progress.map(({ seq, chunk }) => `${seq}${chunk}`)).toEqual(["0a", "1b", "2c"]);
  });

  test("that nobody takes is dropped, and the command is told", async () => {
    const answers: boolean[] = [];
    const command = defineCommand({
      name: "flood",
      params: z.object({}),
      run(_, { progress }) {
        for (let index = 0; index < 200; index += 1) answers.push(progress("x".repeat(16_000)));
      },
    });
    const peer = createFakePeer();
    const { id } = (setUp([command], { peer }), peer.invoke({ command: "flood" }));
    await peer.result(id);
    expect(answers[0]).toBe(true);
    expect(answers.at(-1)).toBe(false);
    expect(peer.progress.map(({ seq }) => seq)).toEqual(peer.progress.map((_, index) => index));
  });
});

describe("input", () => {
  test("reaches the command in order, once, and ends with the invocation", async () => {
    const command = defineCommand({
      name: "listen",
      params: z.object({}),
      async run(_, { input }) {
        const heard: unknown[] = [];
        for await (const text of input) {
          heard.push(JSON.parse(text));
          if (text === '"stop"') break;
        }
        return heard;
      },
    });
    const { peer } = setUp([command]);
    const { id } = peer.invoke({ command: "listen" });
    const send = (seq: number, payloadJSON: string): void =>
      peer.emit("node.invoke.input", { id, nodeId: NODE_ID, seq, payloadJSON });
    send(1, '"b"');
    send(0, '"a"');
    send(0, '"again"');
    send(2, '"stop"');
    expect((await peer.result(id)).payloadJSON).toBe('["a","b","stop"]');
  });
});

test("an event that a command emits goes out before its result", async () => {
  const command = defineCommand({
    name: "emitter",
    params: z.object({}),
    run: (_, { emit }) => emit("exec.finished", { runId: "r" }),
  });
  const { peer } = setUp([command]);
  const { id } = peer.invoke({ command: "emitter" });
  await peer.result(id);
  expect(peer.events).toEqual([{ event: "exec.finished", payload: { runId: "r" } }]);
});
