import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFileLedger, createMemoryLedger } from "@openclaw/ledger";
import { CommandError, defineCommand } from "@openclaw/node-core";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { createFakePeer, NODE_ID } from "./fake-peer.ts";
import { echo, gated, setUp, useFakeClock } from "./handler-bench.ts";

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
