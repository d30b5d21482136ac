import type { FakeNode, FakeNodeOptions } from "@openclaw/testkit";
import { createTestIdentity } from "@openclaw/testkit";
import { expect, test } from "vitest";
import { invokeParams, startTestGateway } from "./fixture.ts";
import type { TestGateway } from "./fixture.ts";

/** A node that keeps a ledger: the Gateway leaves it the last word on what it left open. */
function ledgerNode(t: TestGateway, options: FakeNodeOptions = {}): Promise<FakeNode> {
  return t.node({ caps: ["system", "invoke-ledger"], answer: () => undefined, ...options });
}

/** An invocation that was under way when the connection of its node broke. */
async function leaveOpen(t: TestGateway) {
  const identity = createTestIdentity();
  const node = await ledgerNode(t, { identity });
  const operator = await t.operator();
  const params = invokeParams(node.nodeId);
  const first = operator.request("node.invoke", params);
  await expect.poll(() => node.invokes.length).toBe(1);
  node.peer.terminate();
  expect((await first).error).toMatchObject({ details: { nodeError: { code: "DISCONNECTED" } } });
  const key = params["idempotencyKey"];
  return { identity, operator, params, key, id: node.invokes[0]?.id ?? "" };
}

test("a retry while the node is away says that the first attempt may have run", async () => {
  await using t = await startTestGateway();
  const { operator, params, key } = await leaveOpen(t);

  const retry = await operator.request("node.invoke", params);

  expect(retry.error).toMatchObject({
    code: "UNAVAILABLE",
    details: { code: "NOT_CONNECTED", nodeCommandDispatched: true, stage: "running" },
  });
  expect(await operator.call("node.invoke.status", { idempotencyKey: key })).toMatchObject({
    stage: "running",
    recorded: true,
    nodeConnected: false,
  });
});

test("a retry after the node is back waits for what it says became of the first attempt", async () => {
  await using t = await startTestGateway();
  const { identity, operator, params, key, id } = await leaveOpen(t);
  const node = await ledgerNode(t, { identity });

  // Sent before the node has been told what is open.
  const retry = operator.call("node.invoke", params);
  await operator.call("health");
  expect(await node.peer.call("node.invoke.sync", {})).toEqual({
    open: [{ id, idempotencyKey: key }],
  });
  await node.result(id, { ok: true, payload: "ran before" });

  expect(await retry).toMatchObject({ ok: true, payload: "ran before" });
  expect(node.invokes).toEqual([]);
});

test("what the node never received may run after all, once", async () => {
  await using t = await startTestGateway();
  const { identity, operator, params, key, id } = await leaveOpen(t);
  const node = await ledgerNode(t, { identity });
  await node.peer.call("node.invoke.sync", {});
  await node.result(id, { ok: false, error: { code: "NOT_RECEIVED", message: "never seen" } });

  expect(await operator.call("node.invoke.status", { idempotencyKey: key })).toMatchObject({
    stage: "not-sent",
    recorded: false,
  });
  const retry = operator.call("node.invoke", params);
  await expect.poll(() => node.invokes.length).toBe(1);
  await node.result(node.invokes[0]?.id ?? "", { ok: true, payload: 1 });

  expect(await retry).toMatchObject({ payload: 1 });
});

test("what the node began and did not finish is interrupted for ever", async () => {
  await using t = await startTestGateway();
  const { identity, operator, params, key, id } = await leaveOpen(t);
  const node = await ledgerNode(t, { identity });
  await node.peer.call("node.invoke.sync", {});
  await node.result(id, { ok: false, error: { code: "INTERRUPTED", message: "died" } });

  expect(await operator.call("node.invoke.status", { idempotencyKey: key })).toMatchObject({
    stage: "interrupted",
  });
  const retry = await operator.request("node.invoke", params);

  expect(retry.error).toMatchObject({ details: { nodeError: { code: "INTERRUPTED" } } });
  expect(node.invokes).toEqual([]);
});
