import { setImmediate as nextTurn } from "node:timers/promises";
import { temporaryDirectory } from "@openclaw/testkit";
import { expect, test } from "vitest";
import { createSqliteStore } from "../src/index.ts";
import { invokeParams, startTestGateway } from "./fixture.ts";

test("an operator's invoke reaches the node and its result comes back", async () => {
  await using t = await startTestGateway();
  const node = await t.node({
    answer: ({ params }) => ({ ok: true, payloadJSON: JSON.stringify({ echo: params }) }),
  });
  const operator = await t.operator({ scopes: ["operator.write"] });

  const answer = await operator.call("node.invoke", invokeParams(node.nodeId));

  expect(answer).toEqual({
    ok: true,
    nodeId: node.nodeId,
    command: "system.run",
    payload: { echo: { n: 1 } },
    payloadJSON: '{"echo":{"n":1}}',
  });
});

test("the same key again returns the stored result and does not reach the node", async () => {
  await using t = await startTestGateway();
  let runs = 0;
  const node = await t.node({ answer: () => ({ ok: true, payload: { runs: ++runs } }) });
  const params = invokeParams(node.nodeId);
  const first = await (await t.operator()).call("node.invoke", params);
  const second = await (await t.operator()).call("node.invoke", params);

  expect(second).toEqual(first);
  expect(runs).toBe(1);
});

test("the same key while it runs joins it: one side effect, two answers", async () => {
  await using t = await startTestGateway();
  const node = await t.node({ answer: () => undefined });
  const params = invokeParams(node.nodeId);
  const [a, b] = [await t.operator(), await t.operator()];
  const first = a.call("node.invoke", params);
  await expect.poll(() => node.invokes.length).toBe(1);
  const second = b.call("node.invoke", params);
  // Answered in the order of the frames: by now the second invoke has been taken.
  await b.call("health");
  await node.result(node.invokes[0]?.id ?? "", { ok: true, payload: 7 });

  expect(await first).toMatchObject({ payload: 7 });
  expect(await second).toMatchObject({ payload: 7 });
  expect(node.invokes).toHaveLength(1);
});

test("the same key with another body is refused", async () => {
  await using t = await startTestGateway();
  const node = await t.node();
  const operator = await t.operator();
  const params = invokeParams(node.nodeId);
  await operator.call("node.invoke", params);

  const answer = await operator.request("node.invoke", { ...params, params: { n: 2 } });

  expect(answer.error).toMatchObject({
    code: "INVALID_REQUEST",
    details: { code: "KEY_CONFLICT" },
  });
});

test("a stored result survives a restart of the Gateway", async () => {
  await using directory = await temporaryDirectory();
  const params = invokeParams("");
  {
    await using t = await startTestGateway({
      store: createSqliteStore({ directory: directory.path }),
    });
    const node = await t.node({ answer: () => ({ ok: true, payloadJSON: '{"n":42}' }) });
    params["nodeId"] = node.nodeId;
    await (await t.operator()).call("node.invoke", params);
  }
  await using t = await startTestGateway({
    store: createSqliteStore({ directory: directory.path }),
  });
  const operator = await t.operator();

  expect(await operator.call("node.invoke", params)).toMatchObject({ payload: { n: 42 } });
  expect(
    await operator.call("node.invoke.status", { idempotencyKey: params["idempotencyKey"] }),
  ).toMatchObject({ stage: "finished", recorded: true, ok: true, payload: { n: 42 } });
});

test("a node's failure keeps its code, and is stored as well", async () => {
  await using t = await startTestGateway();
  const node = await t.node({
    answer: () => ({ ok: false, error: { code: "SYSTEM_RUN_DENIED", message: "no" } }),
  });
  const operator = await t.operator();
  const params = invokeParams(node.nodeId);
  for (const _ of [1, 2]) {
    const answer = await operator.request("node.invoke", params);
    expect(answer.error).toMatchObject({
      code: "UNAVAILABLE",
      message: "SYSTEM_RUN_DENIED: no",
      details: {
        nodeError: { code: "SYSTEM_RUN_DENIED", message: "no" },
        nodeCommandDispatched: true,
      },
    });
  }
  expect(node.invokes).toHaveLength(1);
});

test("an invoke that runs out of time says so, cancels the work, and its late result is kept", async () => {
  await using t = await startTestGateway();
  const node = await t.node({ answer: () => undefined });
  const operator = await t.operator();
  const params = invokeParams(node.nodeId, { timeoutMs: 50 });

  const answer = await operator.request("node.invoke", params);

  expect(answer.error).toMatchObject({
    code: "UNAVAILABLE",
    message: "TIMEOUT: node invoke timed out",
    details: { nodeError: { code: "TIMEOUT" }, nodeCommandDispatched: true, stage: "running" },
  });
  const id = node.invokes[0]?.id ?? "";
  const late = await node.result(id, { ok: true, payload: "late" });
  expect(node.cancelled).toEqual([id]);
  expect(late.payload).toEqual({ ok: true });
  expect(await operator.call("node.invoke", params)).toMatchObject({ payload: "late" });
});

test("what runs on a node that disconnects is answered at once, and stays interrupted for ever", async () => {
  await using t = await startTestGateway();
  const node = await t.node({ answer: () => undefined });
  const operator = await t.operator();
  const params = invokeParams(node.nodeId);
  const answer = operator.request("node.invoke", params);
  await expect.poll(() => node.invokes.length).toBe(1);
  node.peer.terminate();

  expect((await answer).error).toMatchObject({
    details: { nodeError: { code: "DISCONNECTED" }, nodeCommandDispatched: true },
  });
  const status = await operator.call("node.invoke.status", {
    idempotencyKey: params["idempotencyKey"],
  });
  expect(status).toMatchObject({ stage: "interrupted", nodeConnected: false });
  const again = await operator.request("node.invoke", params);
  expect(again.error).toMatchObject({ details: { nodeError: { code: "INTERRUPTED" } } });
});

test("a node that is not there fails an invoke at once with a code of its own", async () => {
  await using t = await startTestGateway();
  const node = await t.node();
  node.peer.terminate();
  const operator = await t.operator();
  await expect
    .poll(async () => (await operator.call("node.list"))["nodes"])
    .toMatchObject([{ connected: false }]);

  const started = performance.now();
  const answer = await operator.request("node.invoke", invokeParams(node.nodeId));

  expect(performance.now() - started).toBeLessThan(100);
  expect(answer.error).toMatchObject({
    code: "UNAVAILABLE",
    message: "node not connected",
    details: { code: "NOT_CONNECTED", nodeCommandDispatched: false },
  });
});

test("a node that answers for another, twice, or for nothing is told so and harms nobody", async () => {
  await using t = await startTestGateway();
  const node = await t.node({ answer: () => undefined });
  const stranger = await t.node();
  const operator = await t.operator();
  const answer = operator.call("node.invoke", invokeParams(node.nodeId));
  await expect.poll(() => node.invokes.length).toBe(1);
  const id = node.invokes[0]?.id ?? "";

  const mismatch = await stranger.result(id, { ok: true, payload: "evil" }, node.nodeId);
  const foreign = await stranger.result(id, { ok: true, payload: "evil" });
  const first = await node.result(id, { ok: true, payload: "good" });
  const second = await node.result(id, { ok: true, payload: "again" });
  const unknown = await node.result("nobody-knows", { ok: true });

  expect(mismatch.error).toMatchObject({ code: "INVALID_REQUEST", message: "nodeId mismatch" });
  expect(foreign.payload).toEqual({ ok: true, ignored: true });
  expect(first.payload).toEqual({ ok: true });
  expect(second.payload).toEqual({ ok: true, ignored: true });
  expect(unknown.payload).toEqual({ ok: true, ignored: true });
  expect(await answer).toMatchObject({ payload: "good" });
});

test("progress reaches an operator that asked for it, in order, and nobody else", async () => {
  await using t = await startTestGateway();
  const node = await t.node({ answer: () => undefined });
  const watcher = await t.operator({ caps: ["invoke-progress"] });
  const plain = await t.operator();
  const params = invokeParams(node.nodeId);
  const answers = [watcher.call("node.invoke", params), plain.call("node.invoke", params)];
  await expect.poll(() => node.invokes.length).toBe(1);
  const invokeId = node.invokes[0]?.id ?? "";
  const { nodeId } = node;
  for (const seq of [1, 0, 2])
    await node.peer.call("node.invoke.progress", { invokeId, nodeId, seq, chunk: `chunk ${seq}` });
  const repeated = await node.peer.call("node.invoke.progress", {
    invokeId,
    nodeId,
    seq: 0,
    chunk: "again",
  });
  await node.result(invokeId, { ok: true });
  await Promise.all(answers);
  await nextTurn();

  const chunks = watcher.received
    .filter((frame) => frame.event === "node.invoke.progress")
    .map((frame) => frame.payload?.["chunk"]);
  expect(chunks).toEqual(["chunk 0", "chunk 1", "chunk 2"]);
  expect(repeated).toEqual({ ok: true, ignored: true });
  expect(plain.received.some((frame) => frame.event === "node.invoke.progress")).toBe(false);
});

test("cancel and input reach the node", async () => {
  await using t = await startTestGateway();
  const node = await t.node({ answer: () => undefined });
  const operator = await t.operator();
  const params = invokeParams(node.nodeId);
  const answer = operator.request("node.invoke", params);
  await expect.poll(() => node.invokes.length).toBe(1);
  const id = node.invokes[0]?.id ?? "";
  const { idempotencyKey } = params;

  await operator.call("node.invoke.input", { idempotencyKey, payloadJSON: '"yes"' });
  expect((await node.peer.nextEvent("node.invoke.input")).payload).toEqual({
    id,
    nodeId: node.nodeId,
    seq: 0,
    payloadJSON: '"yes"',
  });
  expect(await operator.call("node.invoke.cancel", { idempotencyKey })).toEqual({
    ok: true,
    cancelled: true,
    stage: "running",
  });
  await expect.poll(() => node.cancelled).toEqual([id]);
  await node.result(id, { ok: false, error: { code: "ABORTED", message: "cancelled" } });
  expect((await answer).error?.message).toBe("ABORTED: cancelled");
});

test("a command that the node did not declare, or the policy denies, is refused with its reason", async () => {
  await using t = await startTestGateway({ nodes: { commands: { deny: ["system.which"] } } });
  const node = await t.node({ commands: ["system.run", "system.which", "demo.own"] });
  const operator = await t.operator();
  const refusals = [];
  for (const command of ["system.notify", "system.which", "demo.own", " "]) {
    const answer = await operator.request("node.invoke", invokeParams(node.nodeId, { command }));
    refusals.push(answer.error?.message);
  }

  expect(refusals).toEqual([
    'node command not allowed: the node (platform: linux) does not support "system.notify"',
    'node command not allowed: "system.which" is not in the allowlist for platform "linux"',
    'node command not allowed: "demo.own" is not in the allowlist for platform "linux"',
    "node command not allowed: command required",
  ]);
  const approvals = await operator.request(
    "node.invoke",
    invokeParams(node.nodeId, { command: "system.execApprovals.get" }),
  );
  expect(approvals.error?.message).toBe(
    "node.invoke does not allow system.execApprovals.*; use exec.approvals.node.*",
  );
});

test("a payload that is not JSON comes back as the text it is", async () => {
  await using t = await startTestGateway();
  const node = await t.node({ answer: () => ({ ok: true, payloadJSON: "{not json" }) });
  const answer = await (await t.operator()).call("node.invoke", invokeParams(node.nodeId));

  expect(answer).toMatchObject({ payload: { payloadJSON: "{not json" }, payloadJSON: "{not json" });
});
