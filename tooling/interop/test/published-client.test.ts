import { createGateway } from "@openclaw/gateway-core";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  connectPublishedClient,
  createFrameAuditor,
  createPublishedIdentity,
} from "../src/index.ts";
import type { GatewayOptions } from "@openclaw/gateway-core";
import type { FrameAuditor, PublishedClient, PublishedClientOptions } from "../src/index.ts";

const TOKEN = "interop-secret-0123456789abcdef";
const ALL_SCOPES = [
  "operator.admin",
  "operator.read",
  "operator.write",
  "operator.approvals",
  "operator.pairing",
];

interface Setup {
  auditor: FrameAuditor;
  gateway: ReturnType<typeof createGateway>;
  connect(options?: PublishedClientOptions): Promise<PublishedClient>;
}

async function setup(options: Partial<GatewayOptions> = {}): Promise<Setup> {
  const auditor = createFrameAuditor();
  const gateway = createGateway({
    auth: { mode: "token", token: TOKEN },
    hooks: { frameSent: auditor.frameSent },
    ...options,
  });
  const { port } = await gateway.listen({ host: "127.0.0.1", port: 0 });
  const clients: PublishedClient[] = [];
  onTestFinished(async () => {
    // The Gateway first, so that what it says at the end is held to the contract as well.
    await gateway.close();
    await Promise.all(clients.map((client) => client.stop()));
    auditor.assertClean();
  });
  return {
    auditor,
    gateway,
    async connect(clientOptions = {}) {
      const client = await connectPublishedClient({
        url: `ws://127.0.0.1:${port}`,
        token: TOKEN,
        auditor,
        ...clientOptions,
      });
      clients.push(client);
      return client;
    },
  };
}

const NODE: PublishedClientOptions = {
  role: "node",
  mode: "node",
  clientName: "node-host",
  clientDisplayName: "Workshop",
  clientVersion: "2026.9.1",
  platform: "linux",
  deviceFamily: "Linux",
  scopes: [],
  caps: ["system"],
  commands: ["system.run", "system.which", "system.notify"],
  permissions: {},
};

describe("the published client as operator", () => {
  test("connects without a device on this machine and keeps its scopes", async () => {
    const { connect } = await setup();
    const operator = await connect({ scopes: ["operator.read", "operator.pairing"] });
    expect(operator.hello).toMatchObject({ type: "hello-ok", protocol: 4 });
    expect(operator.hello.auth).toMatchObject({ role: "operator" });
    expect(operator.hello.auth.scopes).toEqual(["operator.read", "operator.pairing"]);
    expect(await operator.request("health")).toMatchObject({ ok: true });
    expect(await operator.request("status", {})).toBeTypeOf("object");
    expect(await operator.request("system-presence", {})).toBeInstanceOf(Array);
    expect(await operator.request("node.list", {})).toMatchObject({ nodes: [] });
    expect(await operator.request("node.pair.list", {})).toEqual({ pending: [], paired: [] });
    expect(await operator.request("device.pair.list", {})).toMatchObject({ pending: [] });
    expect(await operator.request("channels.status", {})).toBeTypeOf("object");
  });

  test("connects with a device, is paired silently and comes back with its token alone", async () => {
    const { connect } = await setup();
    const identity = createPublishedIdentity();
    const first = await connect({ identity, scopes: ["operator.read"] });
    expect(first.hello.auth.deviceToken).toMatch(/^[\w-]{43}$/);
    await first.stop();
    expect(identity.tokens.get("operator")?.token).toBe(first.hello.auth.deviceToken);

    const second = await connect({ identity, token: "", scopes: ["operator.read"] });
    expect(second.hello.auth.scopes).toEqual(["operator.read"]);
    expect(await second.request("node.list", {})).toMatchObject({ nodes: [] });
  });

  test("is told which scope a method needs", async () => {
    const { connect } = await setup();
    const operator = await connect({ scopes: ["operator.read"] });
    await expect(
      operator.request("node.invoke", {
        nodeId: "n",
        command: "system.which",
        idempotencyKey: "k",
      }),
    ).rejects.toThrow("missing scope: operator.write");
  });

  test("is told that a method is unknown in the exact words", async () => {
    const { connect } = await setup();
    const operator = await connect({ scopes: ALL_SCOPES });
    await expect(operator.request("no.such.method", {})).rejects.toThrow(
      /^(?:.*: )?unknown method: no\.such\.method$/,
    );
  });

  test("is told about params in the published wording", async () => {
    const { connect } = await setup();
    const operator = await connect({ scopes: ALL_SCOPES });
    await expect(operator.request("node.describe", {})).rejects.toThrow(
      "invalid node.describe params: must have required property 'nodeId'",
    );
    await expect(operator.request("node.list", { foo: 1 })).rejects.toThrow(
      "invalid node.list params: at root: unexpected property 'foo'",
    );
  });

  test("with a wrong secret is refused with details that it understands", async () => {
    const { connect } = await setup();
    await expect(connect({ token: "wrong" })).rejects.toMatchObject({
      message: expect.stringContaining("unauthorized: gateway token mismatch"),
      details: { code: "AUTH_TOKEN_MISMATCH" },
    });
  });

  test("hears presence, pairing and shutdown", async () => {
    const { connect, gateway } = await setup();
    const operator = await connect({ scopes: ALL_SCOPES });
    const device = await connect({
      identity: createPublishedIdentity(),
      scopes: ["operator.read"],
    });
    await operator.event("device.pair.resolved");
    const node = await connect({ ...NODE, identity: createPublishedIdentity() });
    await operator.event("presence");
    await node.stop();
    await device.stop();
    const shutdown = operator.event("shutdown");
    await gateway.close({ reason: "test", restartExpectedMs: 60_000 });
    expect((await shutdown).payload).toEqual({ reason: "test", restartExpectedMs: 60_000 });
  });

  test("hears ticks at the advertised interval", async () => {
    const { connect } = await setup({ tickIntervalMs: 50 });
    const operator = await connect({ scopes: ["operator.read"] });
    expect(operator.hello.policy.tickIntervalMs).toBe(50);
    const ticks = [await operator.event("tick"), await operator.event("tick")];
    expect(ticks.map((tick) => tick.seq)).toEqual([expect.any(Number), expect.any(Number)]);
  });
});

describe("the published client as node", () => {
  test("on this machine is paired and approved silently, is invoked and answers", async () => {
    const { connect, auditor } = await setup();
    const identity = createPublishedIdentity();
    const node = await connect({ ...NODE, identity });
    expect(node.hello.auth).toMatchObject({ role: "node" });
    const operator = await connect({ scopes: ALL_SCOPES });

    const { nodes } = await operator.request<{ nodes: Record<string, unknown>[] }>("node.list", {});
    expect(nodes).toMatchObject([
      {
        nodeId: identity.deviceId,
        displayName: "Workshop",
        platform: "linux",
        connected: true,
        paired: true,
        approvalState: "approved",
        commands: ["system.notify", "system.run", "system.which"],
      },
    ]);
    expect(await operator.request("node.describe", { nodeId: identity.deviceId })).toMatchObject({
      nodeId: identity.deviceId,
    });

    const answer = operator.request("node.invoke", {
      nodeId: identity.deviceId,
      command: "system.which",
      params: { bins: ["sh"] },
      idempotencyKey: "interop-1",
      timeoutMs: 10_000,
    });
    const request = (await node.event("node.invoke.request")).payload as Record<string, string>;
    expect(request).toMatchObject({
      nodeId: identity.deviceId,
      command: "system.which",
      idempotencyKey: "interop-1",
    });
    expect(JSON.parse(request["paramsJSON"]!)).toEqual({ bins: ["sh"] });
    await node.request("node.invoke.result", {
      id: request["id"],
      nodeId: identity.deviceId,
      ok: true,
      payloadJSON: JSON.stringify({ bins: { sh: "/bin/sh" } }),
    });
    expect(await answer).toMatchObject({
      ok: true,
      nodeId: identity.deviceId,
      command: "system.which",
      payload: { bins: { sh: "/bin/sh" } },
    });
    expect(
      await node.request("node.event", {
        event: "node.host.stats",
        payloadJSON: JSON.stringify({
          cpuCount: 2,
          loadAverage: [0, 0, 0],
          memoryTotalBytes: 1,
          memoryFreeBytes: 1,
          diskTotalBytes: 1,
          diskAvailableBytes: 1,
        }),
      }),
    ).toMatchObject({ ok: true });
    expect(auditor.seen.get("node.invoke.request")).toBe(1);
  });

  test("whose answer is an error is passed on as one", async () => {
    const { connect } = await setup();
    const identity = createPublishedIdentity();
    const node = await connect({ ...NODE, identity });
    const operator = await connect({ scopes: ALL_SCOPES });
    const answer = operator.request("node.invoke", {
      nodeId: identity.deviceId,
      command: "system.which",
      idempotencyKey: "interop-2",
    });
    const settled = answer.then(
      () => undefined,
      (error: unknown) => error,
    );
    const request = (await node.event("node.invoke.request")).payload as Record<string, string>;
    await node.request("node.invoke.result", {
      id: request["id"],
      nodeId: identity.deviceId,
      ok: false,
      error: { code: "INVALID_REQUEST", message: "INVALID_REQUEST: bins required" },
    });
    expect(await settled).toMatchObject({
      message: expect.stringContaining("bins required"),
      details: { nodeError: { code: "INVALID_REQUEST" } },
    });
  });

  test("waits for approval where nothing is silent, and one decision is enough", async () => {
    const { connect } = await setup({ nodes: { pairing: { autoApproveLocal: false } } });
    const operator = await connect({ scopes: ALL_SCOPES });
    const identity = createPublishedIdentity();
    const refused = await connect({ ...NODE, identity }).then(
      () => undefined,
      (error: unknown) => error as { details?: { code?: string; requestId?: string } },
    );
    expect(refused?.details).toMatchObject({ code: "PAIRING_REQUIRED" });
    await operator.event("device.pair.requested");
    const { pending } = await operator.request<{ pending: { requestId: string }[] }>(
      "device.pair.list",
      {},
    );
    expect(pending).toMatchObject([
      { requestId: refused?.details?.requestId, deviceId: identity.deviceId, role: "node" },
    ]);
    await operator.request("device.pair.approve", { requestId: pending[0]?.requestId });
    await operator.event("device.pair.resolved");

    const node = await connect({ ...NODE, identity });
    const { nodes } = await operator.request<{ nodes: object[] }>("node.list", {});
    expect(nodes).toMatchObject([{ nodeId: identity.deviceId, approvalState: "approved" }]);

    await node.stop();
    await connect({ ...NODE, identity, commands: [...NODE.commands!, "camera.list"] });
    await operator.event("node.pair.requested");
    const wider = await operator.request<{ pending: { requestId: string }[] }>(
      "node.pair.list",
      {},
    );
    expect(wider.pending).toHaveLength(1);
    await operator.request("node.pair.approve", { requestId: wider.pending[0]?.requestId });
    await operator.event("node.pair.resolved");
  });

  test("is removed, and its device with it", async () => {
    const { connect } = await setup();
    const identity = createPublishedIdentity();
    const node = await connect({ ...NODE, identity });
    const operator = await connect({ scopes: ALL_SCOPES });
    await operator.request("node.rename", { nodeId: identity.deviceId, displayName: "Bench" });
    await operator.request("device.token.rotate", { deviceId: identity.deviceId, role: "node" });
    await operator.request("device.pair.remove", { deviceId: identity.deviceId });
    await expect.poll(() => node.closes.length).toBeGreaterThan(0);
  });
});
