import { createGateway } from "@openclaw/gateway-core";
import {
  createFakeNode,
  createRawPeer,
  createTestIdentity,
  signaturePayload,
} from "@openclaw/testkit";
import { describe, expect, onTestFinished, test } from "vitest";
import { createFrameAuditor } from "../src/index.ts";
import type { GatewayOptions } from "@openclaw/gateway-core";
import type { ConnectOptions, FakeNodeOptions, RawPeer } from "@openclaw/testkit";

const TOKEN = "interop-secret-0123456789abcdef";

/** A Gateway that pairs nobody by itself. */
const ASKING: Partial<GatewayOptions> = { nodes: { pairing: { autoApproveLocal: false } } };

/** The command line of the 2026.1 releases. */
const CLI: ConnectOptions = {
  minProtocol: 3,
  maxProtocol: 3,
  signature: "v2",
  token: TOKEN,
  version: "dev",
  scopes: ["operator.admin", "operator.approvals", "operator.pairing"],
};
/** The headless node of the 2026.1 releases: raw platform name, no device family. */
const NODE: FakeNodeOptions = {
  minProtocol: 3,
  maxProtocol: 3,
  signature: "v2",
  token: TOKEN,
  version: "dev",
  displayName: "Old Workshop",
  scopes: [],
  caps: ["system"],
  commands: ["system.run", "system.which", "system.execApprovals.get", "system.execApprovals.set"],
  pathEnv: "/usr/bin:/bin",
};

async function startGateway(options: Partial<GatewayOptions> = {}) {
  const auditor = createFrameAuditor();
  const gateway = createGateway({
    auth: { mode: "token", token: TOKEN },
    hooks: { frameSent: auditor.frameSent },
    ...options,
  });
  const { url } = await gateway.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(async () => {
    await gateway.close();
    // What goes to the older generation is what the newer one allows as well.
    auditor.assertClean();
  });
  const own = <T extends AsyncDisposable>(thing: T): T => {
    onTestFinished(() => thing[Symbol.asyncDispose]());
    return thing;
  };
  return {
    peer: async (): Promise<RawPeer> => own(await createRawPeer(url)),
    async operator(connect: ConnectOptions = {}): Promise<RawPeer> {
      const peer = own(await createRawPeer(url));
      await peer.handshake({ ...CLI, ...connect });
      return peer;
    },
    node: async (node: FakeNodeOptions = {}) =>
      own(await createFakeNode(url, { ...NODE, ...node })),
  };
}

describe("a command line of the older generation", () => {
  test("is greeted with protocol 3 and everything that it and its strict relatives look for", async () => {
    const { peer } = await startGateway();
    const hello = await (await peer()).handshake(CLI);
    expect(hello).toMatchObject({
      type: "hello-ok",
      protocol: 3,
      server: { connId: expect.any(String) },
      features: { methods: expect.any(Array), events: expect.any(Array) },
      snapshot: {
        presence: expect.any(Array),
        health: expect.any(Object),
        stateVersion: { presence: expect.any(Number), health: expect.any(Number) },
        uptimeMs: expect.any(Number),
      },
      auth: { role: "operator", scopes: CLI.scopes, deviceToken: expect.any(String) },
      policy: { tickIntervalMs: expect.any(Number) },
    });
  });

  test("calls what its commands call", async () => {
    const { operator, node } = await startGateway();
    await node();
    const cli = await operator();
    expect(await cli.call("health")).toMatchObject({ ok: true });
    expect(await cli.call("status")).toBeTypeOf("object");
    expect(await cli.call("system-presence", {})).toBeInstanceOf(Array);
    expect(await cli.call("device.pair.list", {})).toMatchObject({ pending: [] });
    expect(await cli.call("node.pair.list", {})).toMatchObject({ pending: [] });
    const { nodes } = (await cli.call("node.list", {})) as { nodes: { nodeId: string }[] };
    const { nodeId } = nodes[0]!;
    expect(await cli.call("node.describe", { nodeId })).toMatchObject({ nodeId });
    expect(await cli.call("node.rename", { nodeId, displayName: "Bench" })).toMatchObject({
      displayName: "Bench",
    });
  });

  test("that does not wait for the challenge signs without a nonce", async () => {
    const { peer } = await startGateway();
    const impatient = { ...CLI, signature: "v1", nonce: null } as const;
    const hello = await (await peer()).handshake({ ...impatient, signedAtMs: Date.now() });
    expect(hello).toMatchObject({ protocol: 3, auth: { deviceToken: expect.any(String) } });

    // Nobody gets away with it who speaks the newer protocol too.
    const newer = await (await peer()).connect({ ...impatient, maxProtocol: 4 });
    expect(newer.error?.message).toBe("device nonce required");
  });

  test("sends connect before anything else has arrived", async () => {
    const { peer } = await startGateway();
    const eager = await peer();
    const params = {
      minProtocol: 3,
      maxProtocol: 3,
      client: { id: "cli", mode: "cli", version: "dev", platform: "linux" },
      auth: { token: TOKEN },
    };
    expect(await eager.call("connect", params)).toMatchObject({ protocol: 3 });
  });

  test("may be ten minutes off, a newer one two", async () => {
    const { peer } = await startGateway();
    const late = Date.now() - 9 * 60_000;
    expect(await (await peer()).handshake({ ...CLI, signedAtMs: late })).toMatchObject({
      protocol: 3,
    });
    const newer = { ...CLI, minProtocol: 4, maxProtocol: 4, signedAtMs: late };
    expect((await (await peer()).connect(newer)).error?.message).toBe("device signature expired");
    const tooLate = { ...CLI, signedAtMs: Date.now() - 11 * 60_000 };
    expect((await (await peer()).connect(tooLate)).error?.message).toBe("device signature expired");
  });

  test("that names no scopes means all of them; a newer one means none", async () => {
    const { peer } = await startGateway();
    const unnamed = { ...CLI, scopes: undefined } as unknown as ConnectOptions;
    const older = await peer();
    expect(await older.handshake({ ...unnamed, identity: false })).toMatchObject({
      auth: { scopes: ["operator.admin"] },
    });
    expect(await older.call("node.list", {})).toMatchObject({ nodes: [] });
    const withDevice = await peer();
    await withDevice.handshake(unnamed);
    expect(await withDevice.call("device.pair.list", {})).toMatchObject({ pending: [] });

    const newer = await peer();
    const hello = await newer.handshake({ ...unnamed, minProtocol: 4, maxProtocol: 4 });
    expect(hello).toMatchObject({ auth: { scopes: [] } });
  });

  test("reads the messages that it knows", async () => {
    const { peer, operator } = await startGateway();
    const wrong = await peer();
    const refused = await wrong.connect({ ...CLI, token: "wrong" });
    expect(refused.error).toMatchObject({
      code: "INVALID_REQUEST",
      message: expect.stringMatching(/^unauthorized: gateway token mismatch/),
    });
    expect((await wrong.closed).code).toBe(1008);

    const reader = await operator({ scopes: ["operator.read"] });
    const invoke = { nodeId: "n", command: "system.run", idempotencyKey: "k" };
    expect((await reader.request("node.invoke", invoke)).error).toMatchObject({
      code: "INVALID_REQUEST",
      message: "missing scope: operator.write",
    });

    const unknown = await (await startGateway(ASKING)).peer();
    const unpaired = await unknown.connect(CLI);
    expect(unpaired.error).toMatchObject({
      code: "NOT_PAIRED",
      message: "pairing required",
      details: { requestId: expect.any(String) },
    });
    expect(await unknown.closed).toEqual({ code: 1008, reason: "pairing required" });
  });

  test("is handed the token of a device that it rotates", async () => {
    const { operator, peer } = await startGateway();
    const identity = createTestIdentity();
    await (await peer()).handshake({ ...CLI, identity });
    const cli = await operator();
    const params = { deviceId: identity.deviceId, role: "operator" };
    const rotated = await cli.call("device.token.rotate", params);
    expect(rotated).toMatchObject({ ...params, token: expect.any(String) });
    // Its schema has one field for every kind of token.
    const again = { ...CLI, identity, token: String(rotated["token"]) };
    expect(await (await peer()).handshake(again)).toMatchObject({ protocol: 3 });
  });

  test("approves a node that waits, and with it what the node declared", async () => {
    const { operator, peer } = await startGateway(ASKING);
    const cli = await operator({ identity: false });
    const identity = createTestIdentity();
    const node = { ...NODE, identity, role: "node" };
    const unpaired = await (await peer()).connect(node);
    const requestId = unpaired.error?.details?.["requestId"];
    expect((await cli.nextEvent("device.pair.requested")).payload).toMatchObject({ requestId });
    expect(await cli.call("device.pair.approve", { requestId })).toMatchObject({ requestId });
    await (await peer()).handshake(node);
    expect(await cli.call("node.list", {})).toMatchObject({
      nodes: [{ nodeId: identity.deviceId, approvalState: "approved", connected: true }],
    });
  });

  test("that speaks nothing we know is told what we expect", async () => {
    const { peer } = await startGateway();
    const ancient = await peer();
    const refused = await ancient.connect({ ...CLI, minProtocol: 1, maxProtocol: 2 });
    expect(refused.error).toMatchObject({
      message: "protocol mismatch",
      details: { code: "PROTOCOL_MISMATCH", expectedProtocol: 4 },
    });
    expect((await ancient.closed).code).toBe(1002);
  });
});

describe("a node of the older generation", () => {
  test("on this machine is usable at once and invoked as it knows it", async () => {
    const { node, operator } = await startGateway();
    const old = await node({
      answer: ({ params }) => ({ ok: true, payloadJSON: JSON.stringify({ got: params }) }),
    });
    expect(old.hello).toMatchObject({ protocol: 3, auth: { role: "node" } });
    const cli = await operator();
    expect(await cli.call("node.list", {})).toMatchObject({
      nodes: [
        {
          nodeId: old.nodeId,
          displayName: "Old Workshop",
          platform: "linux",
          pathEnv: "/usr/bin:/bin",
          caps: ["system"],
          commands: NODE.commands?.toSorted(),
          paired: true,
          connected: true,
        },
      ],
    });
    const run = { command: ["true"] };
    const invoke = { nodeId: old.nodeId, command: "system.run", params: run, idempotencyKey: "k" };
    expect(await cli.call("node.invoke", invoke)).toMatchObject({
      ok: true,
      nodeId: old.nodeId,
      command: "system.run",
      payload: { got: run },
    });
    // It keeps no ledger, and is asked nothing about one.
    expect(old.peer.received.map(({ event }) => event)).not.toContain("node.invoke.input");
    expect(Object.keys(old.invokes[0]!).toSorted()).toEqual(
      ["command", "id", "idempotencyKey", "nodeId", "params", "timeoutMs"].toSorted(),
    );
  });

  test("answers with explicit nulls, with a parsed payload and with a bare message", async () => {
    const { node, operator } = await startGateway();
    const old = await node({ answer: () => undefined });
    const cli = await operator();
    const ask = async (key: string, result: Record<string, unknown>) => {
      const answer = cli.request("node.invoke", {
        nodeId: old.nodeId,
        command: "system.which",
        idempotencyKey: key,
      });
      await expect.poll(() => old.invokes.some((one) => one.idempotencyKey === key)).toBe(true);
      const { id } = old.invokes.find((one) => one.idempotencyKey === key)!;
      const params = { id, nodeId: old.nodeId, ...result };
      expect(await old.peer.call("node.invoke.result", params)).toMatchObject({ ok: true });
      return answer;
    };
    const nulls = await ask("a", { ok: true, payloadJSON: null, error: null });
    expect(nulls.payload).toMatchObject({ ok: true, payloadJSON: null });
    const parsed = await ask("b", { ok: true, payload: { bins: {} } });
    expect(parsed.payload).toMatchObject({ ok: true, payload: { bins: {} }, payloadJSON: null });
    const failed = await ask("c", {
      ok: false,
      error: { message: "SYSTEM_RUN_DENIED: approval required" },
    });
    expect(failed.error).toMatchObject({
      code: "UNAVAILABLE",
      message: expect.stringContaining("SYSTEM_RUN_DENIED: approval required"),
      details: { nodeError: { message: "SYSTEM_RUN_DENIED: approval required" } },
    });
  });

  test("sends its events and asks for what it asks for", async () => {
    const { node } = await startGateway();
    const { peer } = await node();
    const finished = { sessionKey: "node", runId: "r-1", host: "node", command: "true" };
    const event = { event: "exec.finished", payloadJSON: JSON.stringify(finished) };
    expect(await peer.call("node.event", event)).toMatchObject({ ok: true });
    const bins = await peer.request("skills.bins", {});
    // Either an answer or the exact words by which it knows that there is none.
    if (bins.ok) expect(bins.payload).toMatchObject({ bins: expect.any(Array) });
    else expect(bins.error?.message).toBe("unknown method: skills.bins");
    expect((await peer.request("node.list", {})).error?.message).toBe("unauthorized role: node");
  });

  test("that speaks in binary frames, as phones do, is heard", async () => {
    const { peer, operator } = await startGateway();
    const phone = await peer();
    const challenge = await phone.challenge();
    const identity = createTestIdentity();
    const fields = {
      clientId: "openclaw-android",
      clientMode: "node",
      role: "node",
      scopes: [],
      signedAtMs: challenge.ts,
      token: TOKEN,
      nonce: challenge.nonce,
    };
    const params = {
      minProtocol: 3,
      maxProtocol: 3,
      client: {
        id: "openclaw-android",
        mode: "node",
        version: "2026.1.29",
        platform: "android",
        deviceFamily: "Android",
        displayName: "Pixel",
      },
      role: "node",
      scopes: [],
      commands: ["canvas.present", "screen.record"],
      auth: { token: TOKEN },
      device: {
        id: identity.deviceId,
        publicKey: identity.publicKey,
        signature: identity.sign(signaturePayload("v2", identity.deviceId, fields)),
        signedAt: challenge.ts,
        nonce: challenge.nonce,
      },
      locale: "en-GB",
      userAgent: "OpenClawAndroid",
    };
    phone.sendBinary(JSON.stringify({ type: "req", id: "b-1", method: "connect", params }));
    expect((await phone.nextResponse("b-1")).payload).toMatchObject({ protocol: 3 });
    const cli = await operator();
    expect(await cli.call("node.list", {})).toMatchObject({
      nodes: [
        { displayName: "Pixel", connected: true, commands: ["canvas.present", "screen.record"] },
      ],
    });
  });

  test("comes back after its platform name changed its spelling", async () => {
    const { node, operator } = await startGateway();
    const identity = createTestIdentity();
    const before = await node({ identity, platform: "darwin" });
    await before.peer.close();
    // The same machine, upgraded: the newer release spells it out and offers the newer protocol.
    const upgraded = { platform: "macos", deviceFamily: "Mac", maxProtocol: 4 };
    const after = await node({ identity, ...upgraded, signature: "v3" });
    expect(after.hello).toMatchObject({ protocol: 4 });
    const cli = await operator();
    expect(await cli.call("node.list", {})).toMatchObject({
      nodes: [{ nodeId: identity.deviceId, connected: true, approvalState: "approved" }],
    });
  });
});
