import { createFaultProxy, createRawPeer, createTestIdentity } from "@openclaw/testkit";
import { expect, test } from "vitest";
import { invokeParams, startTestGateway } from "./fixture.ts";

test("a device that reconnects supersedes its former connection; late frames and the late close harm nothing", async () => {
  await using t = await startTestGateway();
  const identity = createTestIdentity();
  const former = await t.node({ identity, answer: () => undefined });
  const operator = await t.operator();
  const lost = operator.request("node.invoke", invokeParams(identity.deviceId));
  await expect.poll(() => former.invokes.length).toBe(1);

  const next = await t.node({ identity, answer: () => ({ ok: true, payload: "next" }) });

  // What was in flight is answered at once, and what the old connection still says is dropped.
  expect((await lost).error?.details).toMatchObject({ nodeError: { code: "DISCONNECTED" } });
  former.peer.send({
    type: "req",
    id: "late",
    method: "node.invoke.result",
    params: { id: former.invokes[0]?.id, nodeId: identity.deviceId, ok: true, payload: "late" },
  });
  expect(await former.peer.closed).toEqual({
    code: 1008,
    reason: "superseded by a newer connection",
  });
  expect(await operator.call("node.invoke", invokeParams(identity.deviceId))).toMatchObject({
    payload: "next",
  });
  const { nodes } = await operator.call("node.list");
  expect(nodes).toMatchObject([{ nodeId: identity.deviceId, connected: true }]);
  expect(next.invokes).toHaveLength(1);
});

test("a link that goes silent without a FIN is shown offline within two heartbeats", async () => {
  await using t = await startTestGateway({ keepalive: { intervalMs: 150 } });
  await using proxy = await createFaultProxy({
    target: { host: t.address.host, port: t.address.port },
  });
  const identity = createTestIdentity();
  await using peer = await createRawPeer(`ws://127.0.0.1:${proxy.port}`);
  await peer.handshake({
    token: "test-token-of-a-decent-length",
    role: "node",
    identity,
    commands: ["system.run"],
  });
  const operator = await t.operator();
  expect(await operator.call("node.describe", { nodeId: identity.deviceId })).toMatchObject({
    connected: true,
  });

  const answer = operator.request("node.invoke", invokeParams(identity.deviceId));
  proxy.connections[0]?.cut("silence");
  const error = (await answer).error;

  expect(error?.details).toMatchObject({ nodeError: { code: "DISCONNECTED" } });
  expect(await operator.call("node.describe", { nodeId: identity.deviceId })).toMatchObject({
    connected: false,
  });
});

test("each connection counts its own events from 1", async () => {
  await using t = await startTestGateway({ tickIntervalMs: 20 });
  const first = await t.operator();
  await first.nextEvent("tick");
  await first.nextEvent("tick");
  const second = await t.operator();
  const tick = await second.nextEvent("tick");
  expect(tick.seq).toBe(
    second.received.filter((frame) => frame.event !== undefined && frame.seq !== undefined).length,
  );
  const seqs = first.received.flatMap((frame) => (frame.seq === undefined ? [] : [frame.seq]));
  expect(seqs).toEqual(seqs.map((_, index) => index + 1));
});

test("a peer that does not read misses events and sees the gap; the others miss nothing", async () => {
  await using t = await startTestGateway({
    limits: { maxBufferedBytes: 300_000, highWaterMarkBytes: 100_000 },
  });
  const slow = await t.operator();
  const quick = await t.operator();
  slow.pause();
  const blob = "x".repeat(200_000);
  for (let round = 0; round < 60; round += 1) {
    t.gateway.broadcast("app.state", { round, blob });
    const event = await quick.nextEvent("app.state");
    expect(event.payload).toMatchObject({ round });
  }
  slow.resume();
  t.gateway.broadcast("app.last", {});
  const last = await slow.nextEvent("app.last").catch(() => undefined);
  const seen = slow.received.filter((frame) => frame.event === "app.state").length;
  expect(seen).toBeLessThan(60);
  if (last) expect(last.seq).toBeGreaterThan(60);
});

test("a closing Gateway says so, lets what runs finish, and takes nothing new", async () => {
  await using t = await startTestGateway({ drainTimeoutMs: 2_000 });
  const node = await t.node({ answer: () => undefined });
  const operator = await t.operator();
  const running = operator.call("node.invoke", invokeParams(node.nodeId));
  await expect.poll(() => node.invokes.length).toBe(1);
  const closed = t.gateway.close({ reason: "test" });

  const refused = await operator.request("health");
  expect(refused.error).toMatchObject({
    code: "UNAVAILABLE",
    retryable: true,
    retryAfterMs: 1_000,
  });
  await node.result(node.invokes[0]?.id ?? "", { ok: true, payload: "done" });
  expect(await running).toMatchObject({ payload: "done" });
  expect((await operator.nextEvent("shutdown")).payload).toEqual({ reason: "test" });
  expect(await operator.closed).toEqual({ code: 1012, reason: "service restart" });
  await closed;
});
