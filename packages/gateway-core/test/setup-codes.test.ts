import { decodeSetupCode } from "@openclaw/protocol";
import { createTestIdentity, temporaryDirectory } from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import { createSqliteStore, type GatewayOptions } from "../src/index.ts";
import { invokeParams, startTestGateway, type TestGateway } from "./fixture.ts";

const LAN = "wss://gateway.example";
const MANUAL: Partial<GatewayOptions> = { nodes: { pairing: { autoApproveLocal: false } } };

interface Issued extends Record<string, unknown> {
  setupId: string;
  setupCode: string;
  bootstrapToken: string;
}

async function issue(t: TestGateway, params: object = { publicUrl: LAN }): Promise<Issued> {
  const operator = await t.operator();
  const answer = await operator.call("device.pair.setupCode", params);
  await operator[Symbol.asyncDispose]();
  const decoded = decodeSetupCode(String(answer["setupCode"]), Date.now());
  if (!decoded.ok) throw new Error(`the code is ${decoded.problem}`);
  // The method's own schema says what it answers.
  return { ...(answer as unknown as Issued), bootstrapToken: decoded.code.bootstrapToken };
}

const asNode = { role: "node", commands: ["system.run"], displayName: "workshop" };

describe("device.pair.setupCode", () => {
  test("says where, how long and how much, and nothing of the shared secret", async () => {
    await using t = await startTestGateway({
      setup: {
        urls: () => ["wss://a.example/", "wss://b.example:8443"],
        tlsFingerprint: () => "AB:CD",
      },
    });
    const issued = await issue(t, {});
    expect(issued).toMatchObject({
      gatewayUrl: "wss://a.example",
      gatewayUrls: ["wss://a.example", "wss://b.example:8443"],
      auth: "token",
      urlSource: "gateway",
      access: "full",
    });
    expect(issued).not.toHaveProperty("accessDowngraded");
    const decoded = decodeSetupCode(issued.setupCode, Date.now());
    expect(decoded).toMatchObject({
      ok: true,
      code: { url: "wss://a.example", tlsFingerprint: "AB:CD" },
    });
    expect(issued.bootstrapToken).toMatch(/^[\w-]{43}$/);
    expect(Buffer.from(issued.setupCode, "base64url").toString()).not.toContain("test-token");
  });

  test.each([
    ["ws://192.168.1.20:18789", undefined, "limited", true],
    ["ws://192.168.1.20:18789", "node", "node", undefined],
    ["ws://127.0.0.1:18789", undefined, "full", undefined],
    ["wss://gateway.example", undefined, "full", undefined],
    ["wss://gateway.example", "limited", "limited", undefined],
    ["wss://gateway.example", "voice-node", "limited", undefined],
  ])("for %s and profile %s gives %s access", async (publicUrl, profile, access, downgraded) => {
    await using t = await startTestGateway();
    const params = { publicUrl, ...(profile === undefined ? {} : { bootstrapProfile: profile }) };
    const issued = await issue(t, params);
    expect(issued["access"]).toBe(access);
    expect(issued["accessDowngraded"]).toBe(downgraded);
  });

  test.each([
    [{}, /only listens on loopback; listen on the LAN/],
    [{ publicUrl: "ws://gateway.example" }, /not encrypted and not in a private network/],
    [{ publicUrl: "wss://me:secret@gateway.example" }, /without credentials/],
    [{ publicUrl: "ftp://gateway.example" }, /ws:\/\/ or wss:\/\//],
  ])("refuses %j", async (params, message) => {
    await using t = await startTestGateway({ setup: { urls: () => ["ws://127.0.0.1:18789"] } });
    const answer = await (await t.operator()).request("device.pair.setupCode", params);
    expect(answer.error).toMatchObject({
      code: "INVALID_REQUEST",
      message: expect.stringMatching(message),
    });
    expect(JSON.stringify(answer)).not.toContain("secret@");
  });

  test("is for an administrator alone, and is not advertised", async () => {
    await using t = await startTestGateway();
    const pairing = await t.operator({ scopes: ["operator.pairing", "operator.write"] });
    const answer = await pairing.request("device.pair.setupCode", { publicUrl: LAN });
    expect(answer.error?.message).toBe("missing scope: operator.admin");
    const listed = t.gateway.methods.find(({ name }) => name === "device.pair.setupCode");
    expect(listed?.advertised).toBe(false);
  });
});

describe("a device with a setup code", () => {
  test("is paired and approved in one step, gets a token for each role, and everybody is told", async () => {
    await using t = await startTestGateway(MANUAL);
    const { setupId, bootstrapToken } = await issue(t);
    const operator = await t.operator();
    const identity = createTestIdentity();
    const peer = await t.peer();
    const hello = await peer.handshake({ ...asNode, identity, bootstrapToken });
    expect(hello["auth"]).toMatchObject({
      role: "node",
      deviceToken: expect.any(String),
      deviceTokens: [
        {
          role: "operator",
          deviceToken: expect.any(String),
          issuedAtMs: expect.any(Number),
          scopes: expect.arrayContaining(["operator.admin", "operator.talk.secrets"]),
        },
      ],
    });
    const done = await operator.nextEvent("device.pair.setup.completed");
    const completion = {
      setupId,
      deviceId: identity.deviceId,
      deviceName: "workshop",
      access: "full",
    };
    expect(done.payload).toMatchObject(completion);
    expect(await operator.call("device.pair.setupStatus", { setupId })).toMatchObject({
      completion,
    });
    expect(await operator.call("device.pair.list")).toMatchObject({
      pending: [],
      paired: [{ deviceId: identity.deviceId, approvedVia: "bootstrap" }],
    });
    // The surface is approved too: the node may be asked at once.
    const invoked = operator.request("node.invoke", invokeParams(identity.deviceId));
    const request = await peer.nextEvent("node.invoke.request");
    const { id, nodeId } = request.payload as { id: string; nodeId: string };
    await peer.call("node.invoke.result", { id, nodeId, ok: true, payloadJSON: "{}" });
    expect((await invoked).ok).toBe(true);

    // The tokens are those of a paired device from now on.
    const { deviceTokens } = hello["auth"] as { deviceTokens: { deviceToken: string }[] };
    const deviceToken = deviceTokens[0]?.deviceToken ?? "";
    const cli = await (
      await t.peer()
    ).handshake({ identity, deviceToken, scopes: ["operator.admin"] });
    expect(cli["auth"]).toMatchObject({ role: "operator" });
  });

  test("a second try by the same device succeeds, for a lost answer; by another it fails", async () => {
    await using t = await startTestGateway(MANUAL);
    const { bootstrapToken } = await issue(t);
    const identity = createTestIdentity();
    const first = await t.peer();
    await first.handshake({ ...asNode, identity, bootstrapToken });
    first.terminate();
    await (await t.peer()).handshake({ ...asNode, identity, bootstrapToken });
    const other = await (await t.peer()).connect({ ...asNode, bootstrapToken });
    expect(other.error).toMatchObject({
      code: "INVALID_REQUEST",
      message: expect.stringMatching(
        /^unauthorized: setup code invalid, expired, revoked, or already used/,
      ),
      details: {
        code: "AUTH_BOOTSTRAP_TOKEN_INVALID",
        recommendedNextStep: "review_auth_configuration",
      },
    });
  });

  test("of many that try at the same time exactly one gets in", async () => {
    await using t = await startTestGateway(MANUAL);
    const { bootstrapToken } = await issue(t);
    const answers = await Promise.all(
      Array.from({ length: 8 }, async () =>
        (await t.peer()).connect({ ...asNode, bootstrapToken }),
      ),
    );
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
  });

  test("does not get back with it what an operator has taken away", async () => {
    for (const method of ["device.token.revoke", "device.pair.remove"]) {
      await using t = await startTestGateway(MANUAL);
      const { bootstrapToken } = await issue(t);
      const identity = createTestIdentity();
      const { deviceId } = identity;
      await (await t.peer()).handshake({ ...asNode, identity, bootstrapToken });
      const params = method === "device.pair.remove" ? { deviceId } : { deviceId, role: "node" };
      await (await t.operator()).call(method, params);
      const again = await (await t.peer()).connect({ ...asNode, identity, bootstrapToken });
      expect(again.error?.details).toMatchObject({ code: "AUTH_BOOTSTRAP_TOKEN_INVALID" });
    }
  });

  test("may not ask for more than the code gives, and has not used it up by asking", async () => {
    await using t = await startTestGateway(MANUAL);
    const { bootstrapToken } = await issue(t, { publicUrl: LAN, bootstrapProfile: "node" });
    const identity = createTestIdentity();
    const asked = await (
      await t.peer()
    ).connect({ identity, bootstrapToken, scopes: ["operator.read"] });
    expect(asked.error?.details).toMatchObject({ code: "AUTH_SCOPE_MISMATCH" });
    const limited = await issue(t, { publicUrl: LAN, bootstrapProfile: "limited" });
    const admin = { identity, bootstrapToken: limited.bootstrapToken, scopes: ["operator.admin"] };
    expect((await (await t.peer()).connect(admin)).error?.details).toMatchObject({
      code: "AUTH_SCOPE_MISMATCH",
    });
    const hello = await (await t.peer()).handshake({ ...asNode, bootstrapToken });
    expect(hello["auth"]).not.toHaveProperty("deviceTokens");
  });

  test("without a key is told that it needs one", async () => {
    await using t = await startTestGateway();
    const { bootstrapToken } = await issue(t);
    const refused = await (await t.peer()).connect({ identity: false, bootstrapToken });
    expect(refused.error).toMatchObject({ details: { code: "DEVICE_IDENTITY_REQUIRED" } });
  });

  test("is refused after ten minutes, and after the code was cancelled", async () => {
    let now = Date.now();
    await using t = await startTestGateway({ ...MANUAL, now: () => now });
    const stale = await issue(t);
    const cancelled = await issue(t);
    const operator = await t.operator();
    expect(await operator.call("device.pair.setupList")).toMatchObject({
      codes: [{ setupId: stale.setupId }, { setupId: cancelled.setupId }],
    });
    await operator.call("device.pair.setupCancel", { setupId: cancelled.setupId });
    const refused = async ({ bootstrapToken }: Issued): Promise<unknown> =>
      (await (await t.peer()).connect({ ...asNode, bootstrapToken })).error?.details;
    const invalid = { code: "AUTH_BOOTSTRAP_TOKEN_INVALID" };
    expect(await refused(cancelled)).toMatchObject(invalid);
    now += 600_000;
    expect(await refused(stale)).toMatchObject(invalid);
    expect(await operator.call("device.pair.setupList")).toEqual({ codes: [] });
    const unknown = await operator.request("device.pair.setupCancel", { setupId: stale.setupId });
    expect(unknown.error?.message).toBe("unknown setupId");
  });

  test("comes in after a restart of the Gateway, which kept no secret of the code", async () => {
    await using directory = await temporaryDirectory();
    const store = () => createSqliteStore({ directory: directory.path });
    let issued: Issued;
    {
      const own = store();
      await using t = await startTestGateway({ ...MANUAL, store: own });
      issued = await issue(t);
      const kept = JSON.stringify([...own.read("setup-codes")]);
      expect(kept).toContain(issued.setupId);
      expect(kept).not.toContain(issued.bootstrapToken);
    }
    await using t = await startTestGateway({ ...MANUAL, store: store() });
    const { bootstrapToken } = issued;
    await (await t.peer()).handshake({ ...asNode, bootstrapToken });
    const other = await (await t.peer()).connect({ ...asNode, bootstrapToken });
    expect(other.ok).toBe(false);
  });
});
