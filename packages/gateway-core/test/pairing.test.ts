import { createTestIdentity, temporaryDirectory } from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import { createSqliteStore } from "../src/index.ts";
import { TOKEN, invokeParams, startTestGateway } from "./fixture.ts";

const REMOTE = { nodes: { pairing: { autoApproveLocal: false } } };

describe("a device that is not paired", () => {
  test("is refused with a request id that the list shows, and comes in once approved", async () => {
    await using t = await startTestGateway(REMOTE);
    const identity = createTestIdentity();
    const operator = await t.operator();
    const device = { token: TOKEN, identity, role: "node", commands: ["system.run"] };
    const waiting = await t.peer();
    const refused = await waiting.connect(device);

    const requestId = refused.error?.details?.["requestId"];
    expect(refused.error).toMatchObject({
      code: "NOT_PAIRED",
      message: "pairing required: device is not approved yet",
      details: { code: "PAIRING_REQUIRED", reason: "not-paired", deviceId: identity.deviceId },
    });
    expect((await waiting.closed).reason).toContain(`(requestId: ${String(requestId)})`);
    expect(await operator.call("device.pair.list")).toMatchObject({
      pending: [{ requestId, deviceId: identity.deviceId, role: "node" }],
      paired: [],
    });
    expect((await operator.nextEvent("device.pair.requested")).payload).toMatchObject({
      requestId,
    });

    // A second knock keeps its id.
    const again = await (await t.peer()).connect(device);
    expect(again.error?.details).toMatchObject({ requestId });

    await operator.call("device.pair.approve", { requestId });
    expect((await operator.nextEvent("device.pair.resolved")).payload).toMatchObject({
      requestId,
      decision: "approved",
    });
    await (await t.peer()).handshake(device);
    expect(await operator.call("node.describe", { nodeId: identity.deviceId })).toMatchObject({
      connected: true,
      approvalState: "approved",
      commands: ["system.run"],
    });
  });

  test("is turned away when rejected, and an unknown id says so", async () => {
    await using t = await startTestGateway(REMOTE);
    const operator = await t.operator();
    const refused = await (await t.peer()).connect({ token: TOKEN });
    const requestId = refused.error?.details?.["requestId"];
    await operator.call("device.pair.reject", { requestId });
    expect(await operator.call("device.pair.list")).toEqual({ pending: [], paired: [] });
    const unknown = await operator.request("device.pair.approve", { requestId });
    expect(unknown.error).toMatchObject({ code: "INVALID_REQUEST", message: "unknown requestId" });
  });

  test("pairs silently on this machine with the secret, a browser page never", async () => {
    await using t = await startTestGateway();
    const hello = await (await t.peer()).handshake({ token: TOKEN });
    expect(hello["auth"]).toMatchObject({ deviceToken: expect.any(String) });
  });

  test("waits across a restart of the Gateway", async () => {
    await using directory = await temporaryDirectory();
    const store = () => createSqliteStore({ directory: directory.path });
    let requestId: unknown;
    {
      await using t = await startTestGateway({ ...REMOTE, store: store() });
      requestId = (await (await t.peer()).connect({ token: TOKEN })).error?.details?.["requestId"];
    }
    await using t = await startTestGateway({ ...REMOTE, store: store() });
    expect(await (await t.operator()).call("device.pair.list")).toMatchObject({
      pending: [{ requestId }],
    });
  });
});

describe("rights", () => {
  test("a paired device that asks for more waits for a decision, and keeps what it has", async () => {
    await using t = await startTestGateway(REMOTE);
    const identity = createTestIdentity();
    const operator = await t.operator();
    const reader = { token: TOKEN, identity, scopes: ["operator.read"] };
    const first = await (await t.peer()).connect(reader);
    await operator.call("device.pair.approve", {
      requestId: first.error?.details?.["requestId"],
    });

    const wider = await (await t.peer()).connect({ ...reader, scopes: ["operator.admin"] });
    expect(wider.error).toMatchObject({
      message: "pairing required: device is asking for more scopes than currently approved",
      details: { reason: "scope-upgrade", approvedScopes: ["operator.read"] },
    });
    const role = await (await t.peer()).connect({ token: TOKEN, identity, role: "node" });
    expect(role.error?.details).toMatchObject({ reason: "role-upgrade" });
    await (await t.peer()).handshake(reader);
  });

  test("nobody approves a scope that they do not hold", async () => {
    await using t = await startTestGateway(REMOTE);
    const refused = await (await t.peer()).connect({ token: TOKEN, scopes: ["operator.admin"] });
    const helper = await t.operator({ scopes: ["operator.pairing"] });
    const answer = await helper.request("device.pair.approve", {
      requestId: refused.error?.details?.["requestId"],
    });
    expect(answer.error).toMatchObject({
      code: "FORBIDDEN",
      message: "missing scope: operator.admin",
      details: { code: "MISSING_SCOPE", missingScope: "operator.admin" },
    });
  });

  test("an approver without rights over the host approves the device, not what it may run", async () => {
    await using t = await startTestGateway(REMOTE);
    const identity = createTestIdentity();
    const node = { token: TOKEN, identity, role: "node", commands: ["system.run"] };
    const refused = await (await t.peer()).connect(node);
    const helper = await t.operator({ scopes: ["operator.pairing", "operator.read"] });
    await helper.call("device.pair.approve", {
      requestId: refused.error?.details?.["requestId"],
    });
    const peer = await t.peer();
    await peer.handshake(node);

    const { pending } = await helper.call("node.pair.list");
    expect(pending).toMatchObject([
      {
        nodeId: identity.deviceId,
        commands: ["system.run"],
        requiredApproveScopes: ["operator.pairing", "operator.admin"],
      },
    ]);
    const admin = await t.operator();
    const denied = await admin.request("node.invoke", invokeParams(identity.deviceId));
    expect(denied.error).toMatchObject({ retryable: true, details: { code: "PAIRING_CHANGED" } });
    const requestId = (pending as { requestId: string }[])[0]?.requestId;
    const weak = await helper.request("node.pair.approve", { requestId });
    expect(weak.error?.message).toBe("missing scope: operator.admin");

    // In force at once, without reconnecting, and the node itself hears of it.
    await admin.call("node.pair.approve", { requestId });
    expect((await peer.nextEvent("node.pair.resolved")).payload).toMatchObject({
      nodeId: identity.deviceId,
      decision: "approved",
    });
    expect(await admin.call("node.describe", { nodeId: identity.deviceId })).toMatchObject({
      approvalState: "approved",
      commands: ["system.run"],
    });
  });

  test("a wider surface asks again, a smaller one does not, and what was approved stays usable", async () => {
    await using t = await startTestGateway();
    const identity = createTestIdentity();
    const first = await t.node({ identity, commands: ["system.run", "system.which"] });
    first.peer.terminate();
    const smaller = await t.node({ identity, commands: ["system.run"] });
    const operator = await t.operator();
    const describe = () => operator.call("node.describe", { nodeId: identity.deviceId });
    expect(await describe()).toMatchObject({ approvalState: "approved", commands: ["system.run"] });
    smaller.peer.terminate();

    const wider = await t.node({ identity, commands: ["system.run", "system.notify"] });
    expect(await describe()).toMatchObject({
      approvalState: "pending-reapproval",
      commands: ["system.run"],
      pendingDeclaredCommands: ["system.run", "system.notify"],
    });
    const answer = await operator.call("node.invoke", invokeParams(wider.nodeId));
    expect(answer["ok"]).toBe(true);
    const refused = await operator.request(
      "node.invoke",
      invokeParams(wider.nodeId, { command: "system.notify" }),
    );
    expect(refused.error?.details).toMatchObject({ reason: "command not approved" });
  });

  test("a scope that is missing is named, in the words of the peer's protocol", async () => {
    await using t = await startTestGateway();
    const reader = await t.operator({ scopes: ["operator.read"] });
    expect((await reader.request("node.invoke", {})).error).toEqual({
      code: "FORBIDDEN",
      message: "missing scope: operator.write",
      details: {
        code: "MISSING_SCOPE",
        missingScope: "operator.write",
        requiredScopes: ["operator.write"],
      },
    });
    const older = await t.operator({
      scopes: ["operator.read"],
      minProtocol: 3,
      maxProtocol: 3,
    });
    expect((await older.request("node.invoke", {})).error).toMatchObject({
      code: "INVALID_REQUEST",
      message: "missing scope: operator.write",
    });
    expect((await reader.request("no.such.method")).error?.message).toBe(
      "missing scope: operator.admin",
    );
    const admin = await t.operator();
    expect((await admin.request("no.such.method")).error).toMatchObject({
      code: "INVALID_REQUEST",
      message: "unknown method: no.such.method",
    });
  });

  test("a node hears of methods it may not call, and is closed when it keeps on", async () => {
    await using t = await startTestGateway();
    const node = await t.node();
    expect((await node.peer.request("node.skills.update", {})).error?.message).toBe(
      "unknown method: node.skills.update",
    );
    expect((await node.peer.request("node.list", {})).error?.message).toBe(
      "unauthorized role: node",
    );
    expect((await node.peer.request("health")).ok).toBe(true);
    for (let call = 0; call < 10; call += 1)
      node.peer.send({ type: "req", id: `${call}`, method: "node.list" });
    expect(await node.peer.closed).toEqual({ code: 1008, reason: "repeated unauthorized calls" });
  });
});

describe("tokens", () => {
  test("rotating ends the live connection; the old token is dead, the new one is the device's own", async () => {
    await using t = await startTestGateway(REMOTE);
    const identity = createTestIdentity();
    const operator = await t.operator();
    const ask = { token: TOKEN, identity, scopes: ["operator.pairing"] };
    const refused = await (await t.peer()).connect(ask);
    await operator.call("device.pair.approve", {
      requestId: refused.error?.details?.["requestId"],
    });
    const live = await t.peer();
    const hello = await live.handshake(ask);
    const { deviceToken } = hello["auth"] as { deviceToken: string };

    const rotated = await operator.call("device.token.rotate", {
      deviceId: identity.deviceId,
      role: "operator",
    });
    expect(rotated).toMatchObject({ tokenDelivery: "withheld-cross-device" });
    expect(rotated).not.toHaveProperty("token");
    expect(await live.closed).toEqual({ code: 4001, reason: "gateway auth changed" });
    const stale = await (await t.peer()).connect({ deviceToken, identity, scopes: ask.scopes });
    expect(stale.error?.details).toMatchObject({ code: "AUTH_DEVICE_TOKEN_MISMATCH" });

    const itself = await t.peer();
    await itself.handshake(ask);
    const own = await itself.request("device.token.rotate", {
      deviceId: identity.deviceId,
      role: "operator",
    });
    expect(own.payload).toMatchObject({ tokenDelivery: "in-band", token: expect.any(String) });
  });

  test("a device whose token is revoked has to ask again, with the secret and on this machine too", async () => {
    await using t = await startTestGateway();
    const node = await t.node();
    const { identity } = node;
    const token = (node.hello["auth"] as { deviceToken: string }).deviceToken;
    const operator = await t.operator();
    await operator.call("device.token.revoke", { deviceId: identity.deviceId, role: "node" });
    expect(await node.peer.closed).toEqual({ code: 4001, reason: "gateway auth changed" });

    const ask = { role: "node", identity, commands: ["system.run"] };
    const refused = await (await t.peer()).connect({ ...ask, token: TOKEN });
    expect(refused.error).toMatchObject({
      code: "NOT_PAIRED",
      details: { reason: "role-upgrade", approvedRoles: [] },
    });
    await operator.call("device.pair.approve", {
      requestId: refused.error?.details?.["requestId"],
    });
    const again = await (await t.peer()).handshake({ ...ask, token: TOKEN });
    expect(again["auth"]).toMatchObject({ role: "node", deviceToken: expect.any(String) });
    // Approving again is a new grant; the token of the old one stays dead.
    expect(again["auth"]).not.toMatchObject({ deviceToken: token });
    const stale = await (await t.peer()).connect({ ...ask, deviceToken: token });
    expect(stale.error?.details).toMatchObject({ code: "AUTH_DEVICE_TOKEN_MISMATCH" });
  });

  test("nobody rotates or revokes a token with rights that they do not hold", async () => {
    await using t = await startTestGateway();
    const node = await t.node();
    const device = createTestIdentity();
    await (await t.peer()).handshake({ token: TOKEN, identity: device, scopes: ["operator.read"] });
    const pairing = await t.operator({ scopes: ["operator.pairing"] });
    const reader = await t.operator({ scopes: ["operator.pairing", "operator.read"] });
    const admin = await t.operator({ scopes: ["operator.admin"] });

    const ofNode = { deviceId: node.nodeId, role: "node" };
    const ofDevice = { deviceId: device.deviceId, role: "operator" };
    for (const [peer, token] of [
      [pairing, ofNode],
      [reader, ofNode],
      [pairing, ofDevice],
    ] as const) {
      const rotated = await peer.request("device.token.rotate", token);
      expect(rotated.error?.message).toBe("device token rotation denied");
      const revoked = await peer.request("device.token.revoke", token);
      expect(revoked.error?.message).toBe("device token revocation denied");
    }
    expect(await reader.call("device.token.rotate", ofDevice)).toMatchObject(ofDevice);
    expect(await reader.call("device.token.revoke", ofDevice)).toMatchObject(ofDevice);
    expect(await admin.call("device.token.revoke", ofNode)).toMatchObject(ofNode);
  });

  test("a removed device loses its connection and has to ask again", async () => {
    await using t = await startTestGateway();
    const node = await t.node();
    const operator = await t.operator();
    await operator.call("device.pair.remove", { deviceId: node.nodeId });
    expect(await node.peer.closed).toEqual({ code: 4001, reason: "device removed" });
    expect(await operator.call("node.list")).toMatchObject({ nodes: [] });
    const unknown = await operator.request("device.pair.remove", { deviceId: node.nodeId });
    expect(unknown.error?.message).toBe("unknown deviceId");
  });
});
