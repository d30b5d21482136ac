import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createEphemeralIdentity,
  createGatewayClient,
  createMemoryTokenStore,
} from "@openclaw/client";
import { createNode, systemCommands } from "@openclaw/node-core";
import { describe, expect, onTestFinished, test } from "vitest";
import { startProtocol3Gateway } from "../src/index.ts";
import type { GatewayClient, GatewayClientOptions } from "@openclaw/client";
import type { OpenClawNode } from "@openclaw/node-core";
import type { Protocol3Gateway, Protocol3GatewayOptions } from "../src/index.ts";

const TOKEN = "interop-secret-0123456789abcdef";

async function startServer(
  options: Partial<Protocol3GatewayOptions> = {},
): Promise<Protocol3Gateway> {
  const server = await startProtocol3Gateway({ token: TOKEN, ...options });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return server;
}

function operatorOf(
  { url }: Protocol3Gateway,
  options: Partial<GatewayClientOptions> = {},
): GatewayClient {
  const client = createGatewayClient({
    url,
    token: TOKEN,
    client: { id: "cli", mode: "cli" },
    scopes: ["operator.admin", "operator.approvals", "operator.pairing"],
    backoff: { baseMs: 20, maxMs: 50 },
    ...options,
  });
  onTestFinished(() => client.close());
  return client;
}

function nodeOf({ url }: Protocol3Gateway): OpenClawNode {
  const node = createNode({
    url,
    token: TOKEN,
    identity: createEphemeralIdentity(),
    displayName: "Workshop",
    pathEnv: "/usr/bin",
    permissions: { camera: false },
    commands: systemCommands({
      // Not there, so everything may run.
      execApprovalsPath: join(tmpdir(), "openclaw-interop-none", "exec-approvals.json"),
    }),
  });
  onTestFinished(() => node.close());
  return node;
}

describe("our operator at a Gateway that speaks protocol 3 only", () => {
  test("falls back, signs what it knows and sends no field that it refuses", async () => {
    const server = await startServer();
    const operator = operatorOf(server, { identity: createEphemeralIdentity() });
    expect((await operator.connect()).protocol).toBe(3);
    expect(await operator.request("health", {})).toMatchObject({ ok: true });
    expect(server.refusals).toEqual(["protocol mismatch"]);
    expect(server.connects).toMatchObject([
      { minProtocol: 4, maxProtocol: 4 },
      { minProtocol: 3, maxProtocol: 3, device: { nonce: expect.any(String) } },
    ]);
  });

  test("works without a device, with the secret alone", async () => {
    const server = await startServer();
    const operator = operatorOf(server, { identity: false });
    await operator.connect();
    expect(await operator.request("node.list", {})).toMatchObject({ nodes: [] });
  });

  test("comes back with the device token that it was issued, in the one field there is for it", async () => {
    const server = await startServer();
    const identity = createEphemeralIdentity();
    const deviceStore = createMemoryTokenStore();
    const first = operatorOf(server, { identity, deviceStore });
    await first.connect();
    await first.close();
    const again = operatorOf(server, { identity, deviceStore, token: undefined });
    expect((await again.connect()).protocol).toBe(3);
    expect(server.connects.at(-1)).toMatchObject({
      auth: { token: expect.stringMatching(/^[0-9a-f]{32}$/) },
    });
  });

  test("is content with a hello that has no auth", async () => {
    const server = await startServer({ withoutHelloAuth: true });
    const operator = operatorOf(server, { identity: createEphemeralIdentity() });
    await operator.connect();
    expect(await operator.request("health", {})).toMatchObject({ ok: true });
  });

  test("with a wrong secret hears so and stops", async () => {
    const server = await startServer();
    const operator = operatorOf(server, { token: "wrong", identity: createEphemeralIdentity() });
    await expect(operator.connect()).rejects.toMatchObject({ code: "AUTH_FAILED", final: true });
  });

  test("is told of an offline node and of an unknown method", async () => {
    const operator = operatorOf(await startServer());
    await operator.connect();
    const invoke = { nodeId: "0".repeat(64), command: "system.which", idempotencyKey: "k" };
    await expect(operator.request("node.invoke", invoke)).rejects.toMatchObject({
      code: "UNAVAILABLE",
      details: { code: "NOT_CONNECTED" },
    });
    await expect(operator.request("no.such", {})).rejects.toThrow("unknown method: no.such");
  });
});

describe("our node at a Gateway that speaks protocol 3 only", () => {
  test("connects at the first attempt, is invoked and calls nothing that it does not serve", async () => {
    const server = await startServer();
    const node = nodeOf(server);
    expect((await node.start()).protocol).toBe(3);
    expect(server.refusals).toEqual([]);
    expect(server.connects).toMatchObject([
      { minProtocol: 3, maxProtocol: 4, role: "node", scopes: [], pathEnv: "/usr/bin" },
    ]);

    const operator = operatorOf(server);
    await operator.connect();
    const invoke = { nodeId: node.nodeId, idempotencyKey: "k-1", timeoutMs: 5_000 };
    const which = { ...invoke, command: "system.which", params: { bins: ["sh"] } };
    expect(await operator.request("node.invoke", which)).toMatchObject({
      ok: true,
      payload: { bins: { sh: expect.stringContaining("/sh") } },
    });
    const unknown = { ...invoke, idempotencyKey: "k-2", command: "no.such" };
    await expect(operator.request("node.invoke", unknown)).rejects.toMatchObject({
      code: "UNAVAILABLE",
      details: { nodeError: { code: expect.any(String) } },
    });
    const called = new Set(server.requests.map(({ method }) => method));
    expect(called).not.toContain("node.invoke.sync");
    expect(called).not.toContain("node.invoke.progress");
  });

  test("runs a repeated key once, although that Gateway forwards it twice", async () => {
    const server = await startServer();
    const node = nodeOf(server);
    await node.start();
    const operator = operatorOf(server);
    await operator.connect();
    const run = {
      nodeId: node.nodeId,
      command: "system.run",
      params: { command: ["sh", "-c", "echo $$"] },
      idempotencyKey: "once",
    };
    const first = await operator.request<{ payload: { stdout: string } }>("node.invoke", run);
    const second = await operator.request<{ payload: { stdout: string } }>("node.invoke", run);
    expect(first.payload.stdout).toMatch(/^\d+\n$/);
    expect(second.payload).toEqual(first.payload);
  });

  test("waits for pairing and goes on once approved", async () => {
    const server = await startServer({ asksForPairing: true });
    const node = nodeOf(server);
    const waits = new Promise<string | undefined>((resolve) => {
      node.client.on("state", (state) => {
        if (state.kind === "pairing") resolve(state.requestId);
      });
    });
    const started = node.start();
    expect(await waits).toMatch(/^[\w-]{36}$/);
    server.approve();
    expect((await started).protocol).toBe(3);
  });
});
