import { type ConnectOptions, createTestIdentity } from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import { TOKEN, startTestGateway } from "./fixture.ts";

/** What a device says that has nothing but its key. */
const KEY_ONLY = { keyFor: "127.0.0.1" };
const MANUAL = { nodes: { pairing: { autoApproveLocal: false } } };

/** A device that an operator has approved for one role and its scopes. */
async function pair(
  t: Awaited<ReturnType<typeof startTestGateway>>,
  identity: ReturnType<typeof createTestIdentity>,
  ask: object,
): Promise<string> {
  const refused = await (await t.peer()).connect({ token: TOKEN, identity, ...ask });
  const requestId = refused.error?.details?.["requestId"];
  await (await t.operator()).call("device.pair.approve", { requestId });
  const hello = await (await t.peer()).handshake({ token: TOKEN, identity, ...ask });
  return (hello["auth"] as { deviceToken: string }).deviceToken;
}

describe("pain 1: a device that has lost its token", () => {
  test("gets one by its key alone, without a human, and keeps its id", async () => {
    await using t = await startTestGateway(MANUAL);
    const identity = createTestIdentity();
    const node = { role: "node", commands: ["system.run"] };
    await pair(t, identity, node);
    const hello = await (await t.peer()).handshake({ identity, ...KEY_ONLY, ...node });
    const { deviceToken } = hello["auth"] as { deviceToken: string };
    expect(hello["auth"]).toMatchObject({ role: "node" });
    await (await t.peer()).handshake({ identity, ...node, deviceToken });
    const { paired, pending } = await (await t.operator()).call("device.pair.list");
    expect(paired).toMatchObject([{ deviceId: identity.deviceId }]);
    expect(pending).toEqual([]);
  });

  test("a stale token is named as such; without it the next attempt comes in", async () => {
    await using t = await startTestGateway(MANUAL);
    const identity = createTestIdentity();
    const ask = { scopes: ["operator.read"] };
    const deviceToken = await pair(t, identity, ask);
    await (
      await t.operator()
    ).call("device.token.rotate", {
      deviceId: identity.deviceId,
      role: "operator",
    });
    const stale = await (await t.peer()).connect({ identity, ...ask, deviceToken });
    expect(stale.error?.details).toMatchObject({ code: "AUTH_DEVICE_TOKEN_MISMATCH" });
    const hello = await (await t.peer()).handshake({ identity, ...KEY_ONLY, ...ask });
    expect(hello["auth"]).not.toMatchObject({ deviceToken });
  });

  test("stays out with a signature that is not over this connection's nonce, which anybody may send again", async () => {
    await using t = await startTestGateway();
    const identity = createTestIdentity();
    const old = { identity, minProtocol: 3, maxProtocol: 3, scopes: ["operator.read"] };
    const withoutNonce: ConnectOptions = { ...old, signature: "v1", nonce: null };
    await (await t.peer()).handshake({ ...withoutNonce, token: TOKEN });
    const again = await (await t.peer()).connect({ ...withoutNonce, ...KEY_ONLY });
    expect(again.error?.details).toMatchObject({ code: "AUTH_TOKEN_MISSING" });
    await (await t.peer()).handshake({ ...old, ...KEY_ONLY, signature: "v2" });
  });

  test("stays out when somebody else passes on what it has signed, or it does not say for whom", async () => {
    await using t = await startTestGateway({ allowedHosts: ["gw.example"] });
    const identity = createTestIdentity();
    const ask = { identity, scopes: ["operator.read"] };
    await (await t.peer()).handshake({ token: TOKEN, ...ask });
    for (const keyFor of [undefined, "", "evil.example", "192.0.2.7", "gw.example.evil.example"]) {
      const refused = await (
        await t.peer()
      ).connect({ ...ask, ...(keyFor === undefined ? {} : { keyFor }) });
      expect(refused.error?.details).toMatchObject({ code: "AUTH_TOKEN_MISSING" });
    }
    // What is said has to be what was signed.
    const forged = await (
      await t.peer()
    ).connect({
      ...ask,
      keyFor: "evil.example",
      mutate: (params) => ({ ...params, auth: { keyFor: "gw.example" } }),
    });
    expect(forged.error?.details).toMatchObject({ code: "DEVICE_AUTH_SIGNATURE_INVALID" });
    // Loopback is everybody's own.
    const { createRawPeer } = await import("@openclaw/testkit");
    await using remote = await createRawPeer(t.url, { headers: { Host: "gw.example" } });
    const tunnelled = await remote.connect({ ...ask, keyFor: "localhost" });
    expect(tunnelled.error?.details).toMatchObject({ code: "AUTH_TOKEN_MISSING" });
    for (const keyFor of ["gw.example", "127.0.0.1", "localhost"])
      await (await t.peer()).handshake({ ...ask, keyFor });
  });

  test("gets no wider rights by it: more scopes or another role wait for an operator", async () => {
    await using t = await startTestGateway();
    const identity = createTestIdentity();
    await (await t.peer()).handshake({ token: TOKEN, identity, scopes: ["operator.read"] });
    // Even on this machine, where the shared secret would be enough to be approved silently.
    const wider = await (
      await t.peer()
    ).connect({ identity, ...KEY_ONLY, scopes: ["operator.admin"] });
    expect(wider.error?.details).toMatchObject({
      code: "PAIRING_REQUIRED",
      reason: "scope-upgrade",
    });
    const role = await (await t.peer()).connect({ identity, ...KEY_ONLY, role: "node" });
    expect(role.error?.details).toMatchObject({ code: "AUTH_TOKEN_MISSING" });
    const narrower = await (await t.peer()).handshake({ identity, ...KEY_ONLY, scopes: [] });
    expect(narrower["auth"]).toMatchObject({ scopes: [] });
  });

  test("stays out when its role was revoked, when it was removed, and with another key", async () => {
    await using t = await startTestGateway(MANUAL);
    const operator = await t.operator();
    const missing = { code: "AUTH_TOKEN_MISSING" };
    for (const method of ["device.token.revoke", "device.pair.remove"]) {
      const identity = createTestIdentity();
      const { deviceId } = identity;
      await pair(t, identity, { role: "node" });
      await operator.call(
        method,
        method === "device.pair.remove" ? { deviceId } : { deviceId, role: "node" },
      );
      const refused = await (await t.peer()).connect({ identity, ...KEY_ONLY, role: "node" });
      expect(refused.error?.details).toMatchObject(missing);
    }
    const stranger = await (await t.peer()).connect({ ...KEY_ONLY, role: "node" });
    expect(stranger.error?.details).toMatchObject(missing);
  });

  test("a page in a browser has to bring a credential all the same", async () => {
    await using t = await startTestGateway();
    const identity = createTestIdentity();
    await (await t.peer()).handshake({ token: TOKEN, identity, scopes: ["operator.read"] });
    const { createRawPeer } = await import("@openclaw/testkit");
    await using page = await createRawPeer(t.url, { headers: { Origin: "http://localhost:3000" } });
    const refused = await page.connect({ identity, ...KEY_ONLY, scopes: ["operator.read"] });
    expect(refused.error?.details).toMatchObject({ code: "AUTH_TOKEN_MISSING" });
  });

  test("rotating or revoking ends the live connections of that role at once", async () => {
    await using t = await startTestGateway();
    const operator = await t.operator();
    for (const method of ["device.token.rotate", "device.token.revoke"]) {
      const node = await t.node();
      await operator.call(method, { deviceId: node.nodeId, role: "node" });
      expect(await node.peer.closed).toEqual({ code: 4001, reason: "gateway auth changed" });
    }
  });
});

describe("pain 1: approval reaches a waiting client", () => {
  const waiting = { token: TOKEN, role: "node", caps: ["pairing-wait"], commands: ["system.run"] };

  test("on the connection on which it asked, without asking again", async () => {
    await using t = await startTestGateway(MANUAL);
    const operator = await t.operator();
    const peer = await t.peer();
    expect((await peer.challenge()) as object).toMatchObject({
      capabilities: expect.arrayContaining(["pairing-wait"]),
    });
    const connected = peer.connect(waiting);
    const { payload } = await peer.nextEvent("device.pair.waiting");
    const { error, waitMs } = payload as { error: { details: object }; waitMs: number };
    expect(waitMs).toBe(30_000);
    const { requestId } = error.details as { requestId: string };
    expect(error).toMatchObject({ code: "NOT_PAIRED", details: { code: "PAIRING_REQUIRED" } });
    expect(await operator.call("device.pair.list")).toMatchObject({ pending: [{ requestId }] });
    await operator.call("device.pair.approve", { requestId });
    expect(await connected).toMatchObject({ ok: true, payload: { auth: { role: "node" } } });
    // How it waits is none of the things that it can be asked for.
    const { nodes } = await operator.call("node.list");
    expect(JSON.stringify(nodes)).not.toContain("pairing-wait");
  });

  test("a rejection is answered at once too, and a peer that goes meanwhile leaves nothing", async () => {
    await using t = await startTestGateway(MANUAL);
    const operator = await t.operator();
    const peer = await t.peer();
    const connected = peer.connect(waiting);
    const { payload } = await peer.nextEvent("device.pair.waiting");
    const { requestId } = (payload as { error: { details: { requestId: string } } }).error.details;
    const gone = await t.peer();
    void gone.connect(waiting).catch(() => {});
    await gone.nextEvent("device.pair.waiting");
    gone.terminate();
    await operator.call("device.pair.reject", { requestId });
    expect((await connected).error).toMatchObject({ code: "NOT_PAIRED" });
    expect((await peer.closed).code).toBe(1008);
  });

  test("published clients, which do not offer to wait, are refused as ever", async () => {
    await using t = await startTestGateway(MANUAL);
    const peer = await t.peer();
    const refused = await peer.connect({ ...waiting, caps: ["system"] });
    expect(refused.error).toMatchObject({ code: "NOT_PAIRED" });
    expect((await peer.closed).code).toBe(1008);
    expect(peer.received.some(({ event }) => event === "device.pair.waiting")).toBe(false);
  });

  test("those who wait do not take the places of those who come", async () => {
    await using t = await startTestGateway({
      ...MANUAL,
      limits: { maxPreauthConnectionsPerIp: 2 },
    });
    for (let n = 0; n < 5; n += 1) {
      const peer = await t.peer();
      void peer.connect(waiting).catch(() => {});
      await peer.nextEvent("device.pair.waiting");
    }
    expect((await (await t.operator()).request("health")).ok).toBe(true);
  });
});
