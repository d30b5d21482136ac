import { createFakeNode, createFaultProxy, createTestIdentity } from "@openclaw/testkit";
import type { FaultProxy, RawPeer } from "@openclaw/testkit";
import { expect, onTestFinished, test, vi } from "vitest";
import { createStage } from "../src/stage.ts";
import type { Stage } from "../src/stage.ts";

/** Short, so that two of them fit into a test; the rules are those of the default of 5 s. */
const HEARTBEAT_MS = 1_500;
/** What a busy machine may add to a timer. */
const SLACK_MS = 1_000;
const DEADLINE_MS = 25_000;

vi.setConfig({ testTimeout: 60_000 });

interface NodeEntry {
  nodeId: string;
  displayName?: string;
  connected: boolean;
  connectedAtMs?: number;
}

interface Scene {
  stage: Stage;
  gateway: Awaited<ReturnType<Stage["startGateway"]>>;
  /** Between the node and the Gateway. */
  proxy: FaultProxy;
  node: Awaited<ReturnType<Stage["startNode"]>>;
  operator: RawPeer;
}

/** A Gateway, a node behind a fault proxy, and an operator; all but the operator as processes. */
async function setScene(): Promise<Scene> {
  const stage = await createStage({ keepaliveMs: HEARTBEAT_MS });
  onTestFinished(() => stage[Symbol.asyncDispose]());
  const gateway = await stage.startGateway();
  const proxy = await createFaultProxy({ target: { host: "127.0.0.1", port: gateway.port } });
  onTestFinished(() => proxy.close());
  const node = await stage.startNode(proxy.url);
  const operator = await stage.operator(gateway.url);
  onTestFinished(() => operator[Symbol.asyncDispose]());
  return { stage, gateway, proxy, node, operator };
}

async function listNodes(operator: RawPeer): Promise<NodeEntry[]> {
  return (await operator.call("node.list", {}))["nodes"] as NodeEntry[];
}

/** Waits until the one node is shown as connected or not, and tells how long that took. */
async function shown(operator: RawPeer, connected: boolean): Promise<number> {
  const startedAt = performance.now();
  await vi.waitFor(async () => expect(await listNodes(operator)).toMatchObject([{ connected }]), {
    timeout: DEADLINE_MS,
    interval: 20,
  });
  return performance.now() - startedAt;
}

let keys = 0;

function invoke(operator: RawPeer, nodeId: string, params: object, command = "e2e.echo") {
  return operator.request(
    "node.invoke",
    {
      nodeId,
      command,
      params,
      timeoutMs: DEADLINE_MS,
      idempotencyKey: `liveness-${(keys += 1)}`,
    },
    { deadlineMs: DEADLINE_MS + 5_000 },
  );
}

/** An invoke to a node that is not there: refused at once, with its own code. */
async function expectNotConnected({ operator, node }: Scene): Promise<void> {
  const times: number[] = [];
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const startedAt = performance.now();
    const answer = await invoke(operator, node.nodeId, { text: "anyone?" });
    times.push(performance.now() - startedAt);

    expect(answer).toMatchObject({
      ok: false,
      error: { code: "UNAVAILABLE", details: { code: "NOT_CONNECTED" } },
    });
  }
  // The fastest tells what the Gateway needs; the others may have waited for this machine.
  expect(Math.min(...times)).toBeLessThan(100);
}

/** The node is back: the same entry, the only one, and it works. */
async function expectBack({ operator, node }: Scene): Promise<void> {
  await shown(operator, true);
  expect(await listNodes(operator)).toMatchObject([
    { nodeId: node.nodeId, displayName: "e2e node", connected: true },
  ]);
  expect(await invoke(operator, node.nodeId, { text: "again" })).toMatchObject({
    ok: true,
    payload: { payload: { text: "again" } },
  });
}

test("a frozen node is offline within two heartbeats, and the same entry when it thaws", async () => {
  const scene = await setScene();
  const inFlight = invoke(
    scene.operator,
    scene.node.nodeId,
    { key: "frozen", beforeMs: 60_000, afterMs: 0 },
    "e2e.count",
  );
  // An answer to a later invoke proves that the earlier one has arrived.
  await invoke(scene.operator, scene.node.nodeId, { text: "behind it" });

  scene.node.process.freeze();
  const frozenAt = performance.now();
  const offlineAfterMs = await shown(scene.operator, false);

  expect(offlineAfterMs).toBeLessThan(2 * HEARTBEAT_MS + SLACK_MS);
  // What was in flight on it is answered with its end, not with its timeout.
  expect(await inFlight).toMatchObject({ ok: false, error: { code: "UNAVAILABLE" } });
  expect(performance.now() - frozenAt).toBeLessThan(2 * HEARTBEAT_MS + SLACK_MS);
  await expectNotConnected(scene);

  scene.node.process.thaw();
  await expectBack(scene);
});

test("a cable cut without a FIN is noticed by both ends, and the node is back by itself", async () => {
  const scene = await setScene();
  const [before] = await listNodes(scene.operator);
  const connection = await scene.proxy.nextConnection();
  const cutAt = performance.now();

  connection.cut("silence");
  // Both ends notice at about the same time, so that nobody may get to see the node offline.
  await vi.waitFor(
    async () => {
      const [entry] = await listNodes(scene.operator);
      expect(entry?.connectedAtMs).not.toBe(before?.connectedAtMs);
    },
    { timeout: DEADLINE_MS, interval: 20 },
  );

  expect(performance.now() - cutAt).toBeLessThan(2 * HEARTBEAT_MS + SLACK_MS);
  await expectBack(scene);
  expect(scene.node.process.isRunning).toBe(true);
});

test("a node behind a dead cable is offline within two heartbeats, and an invoke fails at once", async () => {
  const scene = await setScene();

  await scene.proxy.accept("blackhole");
  scene.proxy.cutAll("silence");
  expect(await shown(scene.operator, false)).toBeLessThan(2 * HEARTBEAT_MS + SLACK_MS);

  await expectNotConnected(scene);
  await scene.proxy.accept("pass");
  scene.proxy.cutAll("reset");
  await expectBack(scene);
});

test("a link that is slow but moves is not cut, in either direction", async () => {
  const scene = await setScene();
  const [before] = await listNodes(scene.operator);
  const bytesPerSecond = 96 * 1024;
  // Several heartbeats long each way, and every ping queues behind it.
  const text = "x".repeat(3 * HEARTBEAT_MS * (bytesPerSecond / 1_000));
  scene.proxy.set({ toTarget: { bytesPerSecond }, toClient: { bytesPerSecond } });

  const answer = await invoke(scene.operator, scene.node.nodeId, { text });

  expect(answer.error).toBeUndefined();
  // Not compared as a whole: a failure would print all of it.
  const received = (answer.payload?.["payload"] as { text: string } | undefined)?.text;
  expect(received === text).toBe(true);
  const [after] = await listNodes(scene.operator);
  expect(after?.connectedAtMs).toBe(before?.connectedAtMs);
  expect(scene.proxy.accepted).toBe(1);
});

test("a node outlives its Gateway, however that ends", async () => {
  const scene = await setScene();
  for (const end of ["kill", "stop"] as const) {
    await scene.gateway.process[end]();
    const next = await scene.stage.startGateway();
    scene.gateway = next;
    scene.proxy.retarget({ host: "127.0.0.1", port: next.port });
    scene.operator = await scene.stage.operator(next.url);

    await expectBack(scene);

    expect(scene.node.process.isRunning).toBe(true);
    await scene.operator[Symbol.asyncDispose]();
  }
});

test("the late close of a superseded connection and its late frames harm nothing", async () => {
  const { operator, proxy, gateway, stage } = await setScene();
  const identity = createTestIdentity();
  const options = { identity, token: stage.token, commands: ["e2e.echo"], displayName: "twice" };
  // Through the proxy, which keeps from it that it was superseded.
  const first = await createFakeNode(proxy.url, { ...options, answer: () => undefined });
  onTestFinished(() => first[Symbol.asyncDispose]());
  // The node process has taken the first connection.
  await proxy.nextConnection();
  const oldLink = await proxy.nextConnection();
  const pending = invoke(operator, identity.deviceId, { text: "on the old one" });
  await vi.waitFor(() => expect(first.invokes).toHaveLength(1));
  oldLink.toClient.set({ flow: "stall" });

  const second = await createFakeNode(gateway.url, {
    ...options,
    answer: ({ params }) => ({ ok: true, payload: params }),
  });
  onTestFinished(() => second[Symbol.asyncDispose]());

  // What was in flight on the old connection is answered at once.
  expect(await pending).toMatchObject({ ok: false, error: { code: "UNAVAILABLE" } });
  const { id } = first.invokes[0] ?? { id: "" };
  first.peer.send({
    type: "req",
    id: "late",
    method: "node.invoke.result",
    params: { id, nodeId: identity.deviceId, ok: true, payload: "late" },
  });
  await oldLink.toTarget.forwarded(oldLink.toTarget.receivedBytes + 1);
  oldLink.cut("reset");
  await oldLink.closed;

  expect(await invoke(operator, identity.deviceId, { text: "alive" })).toMatchObject({
    ok: true,
    payload: { payload: { text: "alive" } },
  });
  const entries = (await listNodes(operator)).filter((entry) => entry.displayName === "twice");
  expect(entries).toMatchObject([{ nodeId: identity.deviceId, connected: true }]);
});
