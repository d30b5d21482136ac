import { createTestIdentity } from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { RequestError, defineMethod } from "../src/index.ts";
import { TOKEN, invokeParams, startTestGateway } from "./fixture.ts";

const REMOTE = { nodes: { pairing: { autoApproveLocal: false } } };

describe("events", () => {
  test("reach only those who hold the scope, and of the nodes only the one concerned", async () => {
    await using t = await startTestGateway(REMOTE);
    const pairing = await t.operator({ scopes: ["operator.pairing"] });
    const reader = await t.operator({ scopes: ["operator.read"] });
    const nobody = await t.operator({ scopes: [] });
    const identity = createTestIdentity();
    const device = { token: TOKEN, identity, role: "node", commands: ["camera.list"] };
    const refused = await (await t.peer()).connect(device);
    const requestId = refused.error?.details?.["requestId"];
    await pairing.nextEvent("device.pair.requested");
    await pairing.call("device.pair.approve", { requestId });
    const node = await t.node({ identity, commands: ["camera.list"] });
    const other = createTestIdentity();
    const admin = await t.operator();
    const asked = await (await t.peer()).connect({ ...device, identity: other });
    await admin.call("device.pair.approve", { requestId: asked.error?.details?.["requestId"] });
    const stranger = await t.node({ identity: other, commands: ["camera.list"] });

    const pending = await pairing.nextEvent("node.pair.requested");
    await admin.call("node.pair.approve", { requestId: pending.payload?.["requestId"] });
    expect((await node.peer.nextEvent("node.pair.resolved")).payload).toMatchObject({
      nodeId: node.nodeId,
      decision: "approved",
    });
    await reader.nextEvent("presence");
    // Whatever was sent before these answers has arrived by now.
    for (const peer of [reader, nobody, stranger.peer]) await peer.call("health");
    const eventsOf = (peer: typeof reader): string[] =>
      peer.received.flatMap(({ event }) => (event?.includes(".pair.") ? [event] : []));
    expect(eventsOf(reader)).toEqual([]);
    expect(eventsOf(nobody)).toEqual([]);
    expect(eventsOf(stranger.peer)).toEqual([]);
    expect(nobody.received.filter(({ event }) => event === "presence")).toEqual([]);
  });

  test("of a node: life is noted once a minute, and what nobody knows is answered so", async () => {
    let now = Date.now();
    await using t = await startTestGateway({ now: () => now });
    const node = await t.node();
    const say = (event: string): Promise<object> => node.peer.call("node.event", { event });
    expect(await say("node.presence.alive")).toMatchObject({ reason: "throttled" });
    now += 61_000;
    expect(await say("node.presence.alive")).toMatchObject({ reason: "persisted" });
    expect(await say("node.presence.alive")).toMatchObject({ reason: "throttled" });
    expect(await say("something.new")).toMatchObject({
      ok: true,
      handled: false,
      reason: "unsupported_event",
    });
  });

  test("of a node whose surface is not approved are refused until it is", async () => {
    await using t = await startTestGateway(REMOTE);
    const operator = await t.operator({ scopes: ["operator.pairing"] });
    const identity = createTestIdentity();
    const device = { token: TOKEN, identity, role: "node", commands: ["system.run"] };
    const refused = await (await t.peer()).connect(device);
    await operator.call("device.pair.approve", {
      requestId: refused.error?.details?.["requestId"],
    });
    const peer = await t.peer();
    await peer.handshake(device);
    const answer = await peer.request("node.event", { event: "exec.started" });
    expect(answer.error).toMatchObject({
      code: "UNAVAILABLE",
      retryable: true,
      details: { code: "PAIRING_CHANGED" },
    });
  });
});

describe("a node's surface", () => {
  test("that is rejected stays what was approved before", async () => {
    await using t = await startTestGateway();
    const operator = await t.operator();
    const identity = createTestIdentity();
    await t.node({ identity });
    await t.node({ identity, commands: ["system.run", "system.which"] });
    const { pending } = await operator.call("node.pair.list");
    const [{ requestId } = { requestId: "" }] = pending as { requestId: string }[];
    expect(await operator.call("node.pair.reject", { requestId })).toEqual({
      requestId,
      nodeId: identity.deviceId,
    });
    expect(await operator.call("node.describe", { nodeId: identity.deviceId })).toMatchObject({
      commands: ["system.run"],
      approvalState: "pending-reapproval",
    });
    const again = await operator.request("node.pair.reject", { requestId });
    expect(again.error).toMatchObject({ message: "unknown requestId" });
  });

  test("goes with the node that is removed, and its connection with it", async () => {
    await using t = await startTestGateway();
    const operator = await t.operator();
    const node = await t.node();
    await operator.call("node.pair.remove", { nodeId: node.nodeId });
    expect(await node.peer.closed).toMatchObject({ code: 4001, reason: "device removed" });
    expect(await operator.call("node.list")).toMatchObject({ nodes: [] });
    for (const method of ["node.pair.remove", "node.describe"]) {
      const unknown = await operator.request(method, { nodeId: node.nodeId });
      expect(unknown.error).toMatchObject({ message: "unknown nodeId" });
    }
    const answer = await operator.request("node.invoke", invokeParams(node.nodeId));
    expect(answer.error?.details).toMatchObject({ code: "PAIRING_CHANGED" });
  });
});

test("a node's exec policy is an administrator's to read and to set, and only in that way", async () => {
  await using t = await startTestGateway();
  const asked: unknown[] = [];
  const node = await t.node({
    commands: ["system.execApprovals.get", "system.execApprovals.set"],
    answer: ({ command, params }) => {
      asked.push({ command, params });
      return { ok: true, payload: { exists: true, hash: "h" } };
    },
  });
  const admin = await t.operator();
  const { nodeId } = node;
  const set = { nodeId, file: { version: 1 }, baseHash: "h" };
  expect(await admin.call("exec.approvals.node.get", { nodeId })).toEqual({
    exists: true,
    hash: "h",
  });
  await admin.call("exec.approvals.node.set", set);
  expect(asked).toEqual([
    { command: "system.execApprovals.get", params: {} },
    { command: "system.execApprovals.set", params: { file: { version: 1 }, baseHash: "h" } },
  ]);
  const writer = await t.operator({ scopes: ["operator.write", "operator.approvals"] });
  for (const [method, params] of [
    ["exec.approvals.node.get", { nodeId }],
    ["exec.approvals.node.set", set],
  ] as const) {
    const refused = await writer.request(method, params);
    expect(refused.error?.details).toMatchObject({ missingScope: "operator.admin" });
  }
  expect(asked).toHaveLength(2);
});

test("a command that reaches the whole host wants an administrator, whatever the node declares", async () => {
  await using t = await startTestGateway();
  const node = await t.node({ commands: ["fs.listDir", "browser.proxy"] });
  const writer = await t.operator({ scopes: ["operator.write"] });
  for (const command of ["fs.listDir", "browser.proxy"]) {
    const refused = await writer.request("node.invoke", invokeParams(node.nodeId, { command }));
    expect(refused.error?.details).toMatchObject({ missingScope: "operator.admin" });
  }
  expect(node.invokes).toEqual([]);
});

test("an embedder's method cannot take the name of another", async () => {
  await using t = await startTestGateway();
  const method = defineMethod({
    name: "node.invoke",
    access: "any",
    params: z.strictObject({}),
    summary: "Not this one.",
    handler: () => "mine",
  });
  expect(() => t.gateway.method(method)).toThrow(
    expect.objectContaining({ code: "METHOD_CONFLICT" }),
  );
});

test("an embedder's method that fails in an odd way is answered as a fault, and costs nobody else", async () => {
  await using t = await startTestGateway();
  const failures: Record<string, () => unknown> = {
    "odd.details": () => {
      throw new RequestError("UNAVAILABLE", "no", { details: { n: 1n } });
    },
    "odd.later": () => Promise.reject(new RequestError("UNAVAILABLE", "no", { details: 1n })),
    "odd.answer": () => ({ n: 1n }),
    "odd.throw": () => {
      // oxlint-disable-next-line only-throw-error -- that is what is odd
      throw "secret inside";
    },
  };
  for (const [name, handler] of Object.entries(failures))
    t.gateway.method({ name, access: "any", params: z.strictObject({}), summary: name, handler });
  const operator = await t.operator();
  for (const name of Object.keys(failures)) {
    const answer = await operator.request(name);
    expect(answer.error).toMatchObject({ code: "UNAVAILABLE", details: { code: "INTERNAL" } });
    expect(JSON.stringify(answer)).not.toContain("secret");
  }
  expect(await operator.call("health")).toMatchObject({ ok: true });
});

test("a node that does not read is given no more work, and its callers hear so at once", async () => {
  await using t = await startTestGateway({ limits: { maxBufferedBytes: 200_000 } });
  const node = await t.node({ answer: () => undefined });
  const operator = await t.operator();
  node.peer.pause();
  const params = { text: "x".repeat(1_000_000) };
  let details: Record<string, unknown> | undefined;
  const waiting: Promise<unknown>[] = [];
  for (let n = 0; n < 100 && details === undefined; n += 1) {
    const answer = operator.request("node.invoke", invokeParams(node.nodeId, { params }));
    waiting.push(answer);
    // Answered after the invoke before it has been handed on.
    await operator.call("health");
    details = await Promise.race([
      answer.then(({ error }) => error?.details),
      operator.call("health").then(() => undefined),
    ]);
  }
  expect(details).toMatchObject({ code: "NODE_BACKPRESSURE", nodeCommandDispatched: false });
  node.peer.terminate();
  await Promise.all(waiting);
});
