import {
  createEphemeralIdentity,
  createGatewayClient,
  createMemoryTokenStore,
} from "@openclaw/client";
import { createGateway } from "@openclaw/gateway-core";
import { expect, onTestFinished, test } from "vitest";
import { createFrameAuditor } from "../src/index.ts";
import type { GatewayClient, GatewayClientOptions } from "@openclaw/client";
import type { GatewayOptions } from "@openclaw/gateway-core";

const TOKEN = "interop-secret-0123456789abcdef";
const OPERATOR: Partial<GatewayClientOptions> = {
  client: { id: "cli", mode: "cli" },
  token: TOKEN,
  scopes: ["operator.read", "operator.write", "operator.pairing", "operator.admin"],
};
const NODE: Partial<GatewayClientOptions> = {
  role: "node",
  token: TOKEN,
  caps: ["system"],
  commands: ["system.which", "system.notify"],
};

async function startGateway(options: Partial<GatewayOptions> = {}, port = 0) {
  const auditor = createFrameAuditor();
  const gateway = createGateway({
    auth: { mode: "token", token: TOKEN },
    hooks: { frameSent: auditor.frameSent },
    ...options,
  });
  const address = await gateway.listen({ host: "127.0.0.1", port });
  onTestFinished(async () => {
    await gateway.close();
    auditor.assertClean();
  });
  return { gateway, port: address.port, url: `ws://127.0.0.1:${address.port}` };
}

function client(url: string, options: Partial<GatewayClientOptions>): GatewayClient {
  const made = createGatewayClient({ url, backoff: { baseMs: 50, maxMs: 200 }, ...options });
  onTestFinished(() => made.close());
  return made;
}

function reaches(one: GatewayClient, kind: string): Promise<void> {
  if (one.state.kind === kind) return Promise.resolve();
  return new Promise((resolve) => {
    const off = one.on("state", (state) => {
      if (state.kind !== kind) return;
      off();
      resolve();
    });
  });
}

test("an operator calls methods with and without a device, and with its device token alone", async () => {
  const { url } = await startGateway();
  const plain = client(url, OPERATOR);
  expect((await plain.connect()).protocol).toBe(4);
  expect(await plain.request("health", {})).toMatchObject({ ok: true });

  const identity = createEphemeralIdentity();
  const deviceStore = createMemoryTokenStore();
  const paired = client(url, { ...OPERATOR, identity, deviceStore });
  await paired.connect();
  await paired.close();
  const returning = client(url, { ...OPERATOR, token: undefined, identity, deviceStore });
  await returning.connect();
  expect(await returning.request("node.list", {})).toMatchObject({ nodes: [] });
});

test("an operator with a wrong token hears so and stops", async () => {
  const { url } = await startGateway();
  const wrong = client(url, { ...OPERATOR, token: "wrong", identity: createEphemeralIdentity() });
  await expect(wrong.connect()).rejects.toMatchObject({ code: "AUTH_FAILED", final: true });
});

test("a node that waits for approval is in within a second of it", async () => {
  const { url } = await startGateway({ nodes: { pairing: { autoApproveLocal: false } } });
  const operator = client(url, OPERATOR);
  await operator.connect();
  const node = client(url, { ...NODE, identity: createEphemeralIdentity() });
  node.connect().catch(() => {});
  await reaches(node, "pairing");
  expect.assert(node.state.kind === "pairing");
  const { requestId } = node.state;
  const { pending } = await operator.request("device.pair.list", {});
  expect(pending).toMatchObject([{ requestId }]);
  const approvedAt = performance.now();
  await operator.request("device.pair.approve", { requestId: requestId! });
  await reaches(node, "open");
  expect(performance.now() - approvedAt).toBeLessThan(1_000);
});

test("the same device connecting again ends the former connection for good", async () => {
  const { url } = await startGateway();
  const identity = createEphemeralIdentity();
  const former = client(url, { ...NODE, identity });
  await former.connect();
  const newer = client(url, { ...NODE, identity });
  await newer.connect();
  await expect(former.closed).resolves.toMatchObject({ error: { code: "SUPERSEDED" } });
  expect(newer.state.kind).toBe("open");
});

test("a node outlives the restart of its gateway", async () => {
  const first = await startGateway();
  const node = client(first.url, { ...NODE, identity: createEphemeralIdentity() });
  await node.connect();
  const waiting = reaches(node, "waiting");
  await first.gateway.close({ reason: "restart", restartExpectedMs: 10 });
  await waiting;
  await startGateway({}, first.port);
  await reaches(node, "open");
  expect(node.hello?.server.connId).toEqual(expect.any(String));
});

test("an invocation goes through and comes back", async () => {
  const { url } = await startGateway();
  const identity = createEphemeralIdentity();
  const node = client(url, { ...NODE, identity });
  let accepted: Promise<unknown> | undefined;
  node.on("node.invoke.request", (payload) => {
    const { id, nodeId, paramsJSON } = payload as {
      id: string;
      nodeId: string;
      paramsJSON: string;
    };
    const result = { id, nodeId, ok: true, payloadJSON: paramsJSON };
    accepted = node.request("node.invoke.result", result);
  });
  await node.connect();
  const operator = client(url, OPERATOR);
  await operator.connect();
  const invoked = await operator.request("node.invoke", {
    nodeId: identity.deviceId,
    command: "system.which",
    params: { bins: ["sh"] },
    idempotencyKey: "own-1",
  });
  expect(invoked).toMatchObject({ ok: true, payload: { bins: ["sh"] } });
  expect(await accepted).toMatchObject({ ok: true });
});
