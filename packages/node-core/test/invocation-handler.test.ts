import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFileLedger, createMemoryLedger, type Ledger } from "@openclaw/ledger";
import { CommandError, defineCommand, type NodeCommand } from "@openclaw/node-core";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import {
  createInvocationHandler,
  type InvocationHandler,
} from "../src/invocation/invocation-handler.ts";
import { silentLogger } from "../src/logger.ts";
import { createFakePeer, NODE_ID, type FakePeer } from "./fake-peer.ts";

const echo = defineCommand({
  name: "test.echo",
  params: z.strictObject({ text: z.string() }),
  run: ({ text }) => ({ text }),
});

/** A command that waits until the test lets it go on, and counts its runs. */
function gated(): { command: NodeCommand; readonly runs: number; release(): void } {
  const gate = Promise.withResolvers<void>();
  let runs = 0;
  const command = defineCommand({
    name: "test.gated",
    params: z.object({}),
    async run(_, { signal }) {
      runs += 1;
      const aborted = new Promise<never>((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason), { once: true });
      });
      await Promise.race([gate.promise, aborted]);
      return { run: runs };
    },
  });
  return {
    command,
    get runs() {
      return runs;
    },
    release: () => gate.resolve(),
  };
}

interface Bench {
  peer: FakePeer;
  ledger: Ledger;
  handler: InvocationHandler;
}

function setUp(
  commands: NodeCommand[],
  more: { ledger?: Ledger; peer?: FakePeer; maxRunning?: number } = {},
): Bench {
  const peer = more.peer ?? createFakePeer();
  const ledger = more.ledger ?? createMemoryLedger();
  const handler = createInvocationHandler({
    peer,
    nodeId: NODE_ID,
    commands,
    ledger,
    logger: silentLogger,
    maxRunning: more.maxRunning ?? 100,
    now: Date.now,
  });
  onTestFinished(() => handler.close());
  return { peer, ledger, handler };
}

function useFakeClock(): void {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
}

describe("a request", () => {
  test("runs its command and is answered with the payload as JSON text", async () => {
    const { peer, ledger } = setUp([echo]);
    const { id } = peer.invoke({ command: "test.echo", paramsJSON: '{"text":"hi"}' });
    expect(await peer.result(id)).toEqual({
      id,
      nodeId: NODE_ID,
      ok: true,
      payloadJSON: '{"text":"hi"}',
    });
    expect(ledger.get("k-1")?.stage).toBe("finished");
  });

  test("is answered without a payload when the command returns none", async () => {
    const quiet = defineCommand({ name: "quiet", params: z.object({}), run: () => undefined });
    const { peer } = setUp([quiet]);
    const { id } = peer.invoke({ command: "quiet" });
    expect(await peer.result(id)).toEqual({ id, nodeId: NODE_ID, ok: true });
  });

  test("for a command that is not there is refused in the words of published nodes", async () => {
    const { peer, ledger } = setUp([echo]);
    const { id } = peer.invoke({ command: "camera.snap" });
    expect(await peer.result(id)).toMatchObject({
      ok: false,
      error: { code: "UNAVAILABLE", message: "command not supported" },
    });
    expect(ledger.stats.entries).toBe(0);
  });

  test("with wrong params is refused before anything is recorded", async () => {
    const { peer, ledger } = setUp([echo]);
    const missing = peer.invoke({ command: "test.echo", paramsJSON: null });
    const wrong = peer.invoke({ command: "test.echo", paramsJSON: '{"text":1}' });
    const broken = peer.invoke({ command: "test.echo", paramsJSON: "{" });
    const message = async (id: string): Promise<unknown> => (await peer.result(id)).error;
    expect(await message(missing.id)).toEqual({
      code: "INVALID_REQUEST",
      message: "Error: INVALID_REQUEST: paramsJSON required",
    });
    expect(await message(wrong.id)).toEqual({
      code: "INVALID_REQUEST",
      message: "invalid test.echo params: at /text: must be string",
    });
    expect(await message(broken.id)).toMatchObject({ code: "INVALID_REQUEST" });
    expect(ledger.stats.entries).toBe(0);
  });

  test("whose command fails tells code and message", async () => {
    const failing = defineCommand({
      name: "failing",
      params: z.object({ how: z.string() }),
      run({ how }) {
        if (how === "typed") throw new CommandError("CAMERA_DISABLED", "the lid is closed");
        throw new TypeError("not a function");
      },
    });
    const { peer } = setUp([failing]);
    const typed = peer.invoke({ command: "failing", paramsJSON: '{"how":"typed"}' });
    const other = peer.invoke({ command: "failing", paramsJSON: '{"how":"other"}' });
    expect((await peer.result(typed.id)).error).toEqual({
      code: "CAMERA_DISABLED",
      message: "the lid is closed",
    });
    expect((await peer.result(other.id)).error).toEqual({
      code: "UNAVAILABLE",
      message: "not a function",
    });
  });

  test("beyond the number that may run at once is refused", async () => {
    const gate = gated();
    const { peer } = setUp([gate.command], { maxRunning: 1 });
    const first = peer.invoke({ command: "test.gated" });
    const second = peer.invoke({ command: "test.gated" });
    expect((await peer.result(second.id)).error?.code).toBe("UNAVAILABLE");
    gate.release();
    expect((await peer.result(first.id)).ok).toBe(true);
  });

  test("that is not one is ignored", async () => {
    const { peer } = setUp([echo]);
    for (const payload of [undefined, null, 7, {}, { id: "", command: "test.echo" }, { id: "x" }]) {
      peer.emit("node.invoke.request", payload);
      peer.emit("node.invoke.cancel", payload);
      peer.emit("node.invoke.input", payload);
    }
    peer.emit("node.invoke.request", { id: "x", command: "test.echo", nodeId: "somebody else" });
    const { id } = peer.invoke({ command: "test.echo", paramsJSON: '{"text":"still here"}' });
    await peer.result(id);
    expect(peer.results).toHaveLength(1);
  });

  test("whose result is too large for the Gateway gets PAYLOAD_TOO_LARGE instead", async () => {
    const large = defineCommand({
      name: "large",
      params: z.object({}),
      run: () => "ü".repeat(6_000),
    });
    const { peer } = setUp([large], { peer: createFakePeer({ maxPayload: 10_000 }) });
    const { id } = peer.invoke({ command: "large" });
    const { error } = await peer.result(id);
    expect(error?.code).toBe("PAYLOAD_TOO_LARGE");
    expect(error?.message).toMatch(/result of large has \d+ bytes/);
  });
});

describe("the same key", () => {
  test("again is answered with the stored result, and not run again", async () => {
    const gate = gated();
    const { peer } = setUp([gate.command]);
    const first = peer.invoke({ command: "test.gated", idempotencyKey: "k" });
    gate.release();
    await peer.result(first.id);
    const again = peer.invoke({ command: "test.gated", idempotencyKey: "k" });
    expect(await peer.result(again.id)).toMatchObject({ ok: true, payloadJSON: '{"run":1}' });
    expect(gate.runs).toBe(1);
  });

  test("while it runs joins, and both are answered", async () => {
    const gate = gated();
    const { peer } = setUp([gate.command]);
    const first = peer.invoke({ command: "test.gated", idempotencyKey: "k" });
    const second = peer.invoke({ command: "test.gated", idempotencyKey: "k" });
    await vi.waitFor(() => expect(gate.runs).toBe(1));
    const third = peer.invoke({ command: "test.gated", idempotencyKey: "k" });
    gate.release();
    for (const { id } of [first, second, third]) {
      expect(await peer.result(id)).toMatchObject({ payloadJSON: '{"run":1}' });
    }
    expect(gate.runs).toBe(1);
  });

  test("with another command or other params is a conflict, running or finished", async () => {
    const gate = gated();
    const { peer } = setUp([gate.command, echo]);
    const first = peer.invoke({ command: "test.gated", idempotencyKey: "k" });
    const running = peer.invoke({
      command: "test.echo",
      paramsJSON: '{"text":"a"}',
      idempotencyKey: "k",
    });
    expect((await peer.result(running.id)).error?.code).toBe("KEY_CONFLICT");
    gate.release();
    await peer.result(first.id);
    const finished = peer.invoke({
      command: "test.gated",
      paramsJSON: '{"x":1}',
      idempotencyKey: "k",
    });
    expect((await peer.result(finished.id)).error?.code).toBe("KEY_CONFLICT");
    expect(gate.runs).toBe(1);
  });

  test("is the same although volatile params differ", async () => {
    const command = defineCommand({
      name: "run",
      params: z.object({ a: z.number(), runId: z.string() }),
      volatileParams: ["runId"],
      run: ({ runId }) => runId,
    });
    const { peer } = setUp([command]);
    const ask = (paramsJSON: string): { id: string } =>
      peer.invoke({ command: "run", paramsJSON, idempotencyKey: "k" });
    const first = ask('{"a":1,"runId":"r1"}');
    expect((await peer.result(first.id)).payloadJSON).toBe('"r1"');
    const second = ask('{"a":1,"runId":"r2"}');
    expect((await peer.result(second.id)).payloadJSON).toBe('"r1"');
    const third = ask('{"a":2,"runId":"r2"}');
    expect((await peer.result(third.id)).error?.code).toBe("KEY_CONFLICT");
  });

  test("after a crash of the node is INTERRUPTED if it had been started", async () => {
    const directory = mkdtempSync(join(tmpdir(), "node-ledger-"));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    const gate = gated();
    const before = createFileLedger({ directory });
    const first = setUp([gate.command], { ledger: before });
    first.peer.invoke({ command: "test.gated", idempotencyKey: "k" });
    await vi.waitFor(() => expect(gate.runs).toBe(1));
    // What a crash leaves: the journal as it is, nothing finished.
    await before.close();

    const ledger = createFileLedger({ directory });
    onTestFinished(() => ledger.close());
    const { peer } = setUp([gate.command], { ledger });
    const again = peer.invoke({ command: "test.gated", idempotencyKey: "k" });
    expect((await peer.result(again.id)).error?.code).toBe("INTERRUPTED");
    expect(gate.runs).toBe(1);
    await vi.waitFor(() => expect(ledger.get("k")?.stage).toBe("finished"));
  });
});

describe("recording", () => {
  test("comes before the start: a ledger that cannot write means that nothing runs", async () => {
    const ledger = createMemoryLedger();
    ledger.open = (_, committed) => queueMicrotask(() => committed(new Error("disk full")));
    const gate = gated();
    const { peer, handler } = setUp([gate.command], { ledger });
    const { id } = peer.invoke({ command: "test.gated" });
    expect((await peer.result(id)).error).toMatchObject({
      code: "UNAVAILABLE",
      message: "the node cannot record the invocation: disk full",
    });
    expect(gate.runs).toBe(0);
    expect(handler.running).toBe(0);
  });

  test("comes before the answer: it waits until the outcome is durable", async () => {
    useFakeClock();
    const ledger = createMemoryLedger();
    const finish = ledger.finish.bind(ledger);
    let isFull = true;
    ledger.finish = (key, outcome, committed) => {
      if (isFull) queueMicrotask(() => committed(new Error("disk full")));
      else finish(key, outcome, committed);
    };
    const { peer, handler } = setUp([echo], { ledger });
    const { id } = peer.invoke({ command: "test.echo", paramsJSON: '{"text":"hi"}' });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(peer.results).toEqual([]);
    expect(handler.running).toBe(1);
    isFull = false;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await peer.result(id)).toMatchObject({ ok: true });
  });
});

describe("stopping", () => {
  test("the deadline aborts the command and is told as TIMEOUT", async () => {
    useFakeClock();
    const gate = gated();
    const { peer } = setUp([gate.command]);
    const { id } = peer.invoke({ command: "test.gated", timeoutMs: 2_000 });
    await vi.advanceTimersByTimeAsync(1_999);
    expect(peer.results).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect((await peer.result(id)).error).toEqual({
      code: "TIMEOUT",
      message: "test.gated did not finish within 2000 ms",
    });
  });

  test("0 and absent mean the default deadline", async () => {
    useFakeClock();
    const deadlines: number[] = [];
    const command = defineCommand({
      name: "deadline",
      params: z.object({}),
      run: (_, { deadlineAtMs }) => void deadlines.push(deadlineAtMs - Date.now()),
    });
    const { peer } = setUp([command]);
    peer.invoke({ command: "deadline" });
    peer.invoke({ command: "deadline", timeoutMs: 0 });
    peer.invoke({ command: "deadline", timeoutMs: Number.MAX_SAFE_INTEGER });
    await vi.advanceTimersByTimeAsync(0);
    expect(deadlines).toEqual([30_000, 30_000, 86_400_000]);
  });

  test("a command that ignores its signal is given up after a while", async () => {
    useFakeClock();
    const deaf = defineCommand({
      name: "deaf",
      params: z.object({}),
      run: () => new Promise<void>(() => {}),
    });
    const { peer, handler } = setUp([deaf]);
    const { id } = peer.invoke({ command: "deaf", timeoutMs: 1_000 });
    await vi.advanceTimersByTimeAsync(11_000);
    const { error } = await peer.result(id);
    expect(error?.code).toBe("TIMEOUT");
    expect(error?.message).toContain("has not stopped yet");
    expect(handler.running).toBe(0);
  });

  test("a cancel aborts the command", async () => {
    const gate = gated();
    const { peer } = setUp([gate.command]);
    const { id } = peer.invoke({ command: "test.gated" });
    await vi.waitFor(() => expect(gate.runs).toBe(1));
    peer.emit("node.invoke.cancel", { invokeId: id, nodeId: NODE_ID });
    expect((await peer.result(id)).error?.code).toBe("ABORTED");
  });

  test("a cancel that comes before the start prevents it", async () => {
    const gate = gated();
    const { peer } = setUp([gate.command]);
    const { id } = peer.invoke({ command: "test.gated" });
    peer.emit("node.invoke.cancel", { invokeId: id, nodeId: NODE_ID });
    expect((await peer.result(id)).error?.code).toBe("ABORTED");
    expect(gate.runs).toBe(0);
  });

  test("closing aborts what runs, and tells the outcome before it ends", async () => {
    const gate = gated();
    const { peer, handler } = setUp([gate.command]);
    const { id } = peer.invoke({ command: "test.gated" });
    await vi.waitFor(() => expect(gate.runs).toBe(1));
    await handler.close();
    expect(peer.results).toMatchObject([{ id, error: { code: "ABORTED" } }]);
    expect(handler.running).toBe(0);
  });
});

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
