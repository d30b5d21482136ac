import { createRawPeer, createTestIdentity } from "@openclaw/testkit";
import { helloOkSchema } from "@openclaw/protocol";
import { describe, expect, test } from "vitest";
import { TOKEN, startTestGateway } from "./fixture.ts";

test("the challenge comes first, and hello holds everything that any release requires", async () => {
  await using t = await startTestGateway();
  const peer = await t.peer();
  const challenge = await peer.nextEvent("connect.challenge");
  expect(challenge.payload).toMatchObject({ nonce: expect.any(String), ts: expect.any(Number) });
  expect(challenge).not.toHaveProperty("seq");

  const hello = await t
    .operator()
    .then((operator) => operator.received.find((f) => f.type === "res"));
  const payload = helloOkSchema.parse(hello?.payload);
  expect(payload).toMatchObject({
    protocol: 4,
    auth: { role: "operator" },
    policy: { maxPayload: 26_214_400, maxBufferedBytes: 52_428_800, tickIntervalMs: 30_000 },
  });
  expect(payload.features.methods).toContain("node.invoke.status");
});

test("a binary message that holds UTF-8 JSON is a frame like any other", async () => {
  await using t = await startTestGateway();
  const operator = await t.operator();
  operator.sendBinary(JSON.stringify({ type: "req", id: "b", method: "health" }));
  expect((await operator.nextResponse("b")).ok).toBe(true);
});

describe("version negotiation", () => {
  for (const [min, max, expected] of [
    [3, 3, 3],
    [3, 4, 4],
    [4, 4, 4],
    [4, 7, 4],
  ] as const) {
    test(`a peer that speaks ${min} to ${max} is answered in ${expected}`, async () => {
      await using t = await startTestGateway();
      const peer = await t.peer();
      const hello = await peer.handshake({
        token: TOKEN,
        identity: false,
        minProtocol: min,
        maxProtocol: max,
      });
      expect(hello["protocol"]).toBe(expected);
    });
  }

  for (const [min, max] of [
    [1, 2],
    [5, 5],
  ] as const) {
    test(`a peer that speaks ${min} to ${max} is closed with 1002`, async () => {
      await using t = await startTestGateway();
      const peer = await t.peer();
      const answer = await peer.connect({ token: TOKEN, minProtocol: min, maxProtocol: max });
      expect(answer.error).toEqual({
        code: "INVALID_REQUEST",
        message: "protocol mismatch",
        details: {
          code: "PROTOCOL_MISMATCH",
          clientMinProtocol: min,
          clientMaxProtocol: max,
          expectedProtocol: 4,
          minimumProbeProtocol: 3,
        },
      });
      expect(await peer.closed).toEqual({ code: 1002, reason: "protocol mismatch" });
    });
  }
});

describe("a bad device identity", () => {
  const cases = [
    ["another nonce", { nonce: "not-mine" }, "DEVICE_AUTH_NONCE_MISMATCH", "device nonce mismatch"],
    ["no nonce", { nonce: null }, "DEVICE_AUTH_NONCE_REQUIRED", "device nonce required"],
    [
      "v1 signature",
      { signature: "v1" },
      "DEVICE_AUTH_SIGNATURE_INVALID",
      "device signature invalid",
    ],
    [
      "a signature of an hour ago",
      { signedAtMs: Date.now() - 3_600_000 },
      "DEVICE_AUTH_SIGNATURE_EXPIRED",
      "device signature expired",
    ],
  ] as const;
  for (const [title, options, code, message] of cases) {
    test(`with ${title} is refused with ${code}`, async () => {
      await using t = await startTestGateway();
      const peer = await t.peer();
      const answer = await peer.connect({ token: TOKEN, ...options });
      expect(answer.error).toMatchObject({ code: "INVALID_REQUEST", message, details: { code } });
      expect(await peer.closed).toEqual({ code: 1008, reason: message });
    });
  }

  const mutations: [string, Record<string, unknown>, string][] = [
    ["a key of other bytes", { publicKey: "AAAA" }, "DEVICE_AUTH_PUBLIC_KEY_INVALID"],
    [
      "another device's key",
      { publicKey: createTestIdentity().publicKey },
      "DEVICE_AUTH_DEVICE_ID_MISMATCH",
    ],
    ["a broken signature", { signature: "AAAA" }, "DEVICE_AUTH_SIGNATURE_INVALID"],
  ];
  for (const [title, members, code] of mutations) {
    test(`with ${title} is refused with ${code}`, async () => {
      await using t = await startTestGateway();
      const peer = await t.peer();
      const answer = await peer.connect({
        token: TOKEN,
        mutate: (params) => ({
          ...params,
          device: { ...(params["device"] as object), ...members },
        }),
      });
      expect(answer.error?.details).toMatchObject({ code });
    });
  }

  test("a signature replayed on another socket is refused", async () => {
    await using t = await startTestGateway();
    const first = await t.peer();
    let replayed: Record<string, unknown> = {};
    await first.connect({ token: TOKEN, mutate: (params) => (replayed = params) });
    const second = await t.peer();
    const answer = await second.connect({ mutate: () => replayed });
    expect(answer.error?.details).toMatchObject({ code: "DEVICE_AUTH_NONCE_MISMATCH" });
  });
});

describe("authentication", () => {
  test("a missing token is told apart from a wrong one, and names what to set", async () => {
    await using t = await startTestGateway();
    const missing = await (await t.peer()).connect({ identity: false });
    expect(missing.error).toMatchObject({
      message: expect.stringContaining("unauthorized: gateway token missing"),
      details: {
        code: "AUTH_TOKEN_MISSING",
        authReason: "token_missing",
        recommendedNextStep: "update_auth_configuration",
      },
    });
    const wrong = await (await t.peer()).connect({ identity: false, token: "wrong" });
    expect(wrong.error).toMatchObject({
      details: { code: "AUTH_TOKEN_MISMATCH", recommendedNextStep: "update_auth_credentials" },
    });
    const signed = await (await t.peer()).connect({ token: "wrong" });
    expect(signed.error).toMatchObject({
      details: {
        canRetryWithDeviceToken: true,
        recommendedNextStep: "retry_with_device_token",
      },
    });
  });

  test("either field may carry the secret", async () => {
    await using t = await startTestGateway();
    const hello = await (await t.peer()).handshake({ identity: false, password: TOKEN });
    expect(hello["auth"]).toMatchObject({ role: "operator" });
  });

  test("password mode names the password", async () => {
    await using t = await startTestGateway({ auth: { mode: "password", password: "pass-word-é" } });
    const wrong = await (await t.peer()).connect({ identity: false, password: "pass-word-e" });
    expect(wrong.error?.details).toMatchObject({ code: "AUTH_PASSWORD_MISMATCH" });
    const hello = await (await t.peer()).handshake({ identity: false, password: "pass-word-é" });
    expect(hello["auth"]).toMatchObject({ role: "operator" });
  });

  test("mode none lets this machine in and never listens elsewhere", async () => {
    await using t = await startTestGateway({ auth: { mode: "none" } });
    const hello = await (await t.peer()).handshake({ identity: false });
    expect(hello["auth"]).toMatchObject({ role: "operator" });
    await using other = await startTestGateway({ auth: { mode: "none" } });
    await other.gateway.close();
    const { createGateway } = await import("../src/index.ts");
    const gateway = createGateway({ auth: { mode: "none" } });
    await expect(gateway.listen({ port: 0, host: "0.0.0.0" })).rejects.toMatchObject({
      code: "BIND_REFUSED",
    });
    await gateway.close();
  });

  test("a device token opens the door to the device it was issued for, and to no other", async () => {
    await using t = await startTestGateway();
    const identity = createTestIdentity();
    const hello = await (await t.peer()).handshake({ token: TOKEN, identity });
    const { deviceToken } = hello["auth"] as { deviceToken: string };
    expect(deviceToken).toMatch(/^[\w-]{43}$/);

    const operator = await t.operator();
    const tokens = async () =>
      (await operator.call("device.pair.list"))["paired"] as {
        tokens: { lastUsedAtMs?: number }[];
      }[];
    expect((await tokens())[0]?.tokens[0]).not.toHaveProperty("lastUsedAtMs");
    const again = await (await t.peer()).handshake({ deviceToken, identity });
    expect((await tokens())[0]?.tokens[0]).toHaveProperty("lastUsedAtMs");
    expect(again["auth"]).toMatchObject({ deviceToken });
    const reused = await (await t.peer()).handshake({ token: deviceToken, identity });
    expect(reused["auth"]).toMatchObject({ deviceToken });
    const stranger = await (await t.peer()).connect({ deviceToken });
    expect(stranger.error?.details).toMatchObject({ code: "AUTH_DEVICE_TOKEN_MISMATCH" });
  });

  test("the secret without a device keeps its scopes for the local command line only", async () => {
    await using t = await startTestGateway();
    const scopes = ["operator.read"];
    const cli = await (await t.peer()).handshake({ token: TOKEN, identity: false, scopes });
    expect(cli["auth"]).toMatchObject({ scopes });
    const probe = await (
      await t.peer()
    ).handshake({ token: TOKEN, identity: false, scopes, clientMode: "probe" });
    expect(probe["auth"]).toMatchObject({ scopes: [] });
    const node = await (await t.peer()).connect({ token: TOKEN, identity: false, role: "node" });
    expect(node.error).toMatchObject({
      code: "NOT_PAIRED",
      message: "device identity required",
      details: { code: "DEVICE_IDENTITY_REQUIRED" },
    });
  });

  test("a page of another origin cannot connect; native clients send none", async () => {
    await using t = await startTestGateway();
    await expect(
      createRawPeer(t.url, { headers: { Origin: "https://evil.example" } }),
    ).rejects.toMatchObject({ statusCode: 403 });
    const answer = await (
      await t.peer()
    ).connect({ token: TOKEN, identity: false, clientId: "openclaw-control-ui" });
    expect(answer.error).toMatchObject({
      details: { code: "CONTROL_UI_ORIGIN_NOT_ALLOWED", reason: "origin missing or invalid" },
    });
  });

  test("proxy headers that nobody vouches for are refused before the handshake", async () => {
    await using t = await startTestGateway();
    await expect(
      createRawPeer(t.url, { headers: { "X-Forwarded-For": "127.0.0.1" } }),
    ).rejects.toMatchObject({ statusCode: 403 });
  });
});

describe("the probe endpoints", () => {
  test("answer without credentials, and refuse other methods", async () => {
    await using t = await startTestGateway();
    const base = t.url.replace("ws:", "http:");
    const get = async (path: string, init?: RequestInit): Promise<[number, unknown]> => {
      const response = await fetch(`${base}${path}`, init);
      const text = await response.text();
      return [response.status, text.startsWith("{") ? JSON.parse(text) : text];
    };
    expect(await get("/healthz")).toEqual([200, { ok: true, status: "live" }]);
    expect(await get("/readyz")).toMatchObject([200, { ready: true, failing: [] }]);
    expect(await get("/startupz")).toMatchObject([200, { ok: true, status: "started" }]);
    expect(await get("/healthz", { method: "POST" })).toMatchObject([405, ""]);
    expect(await get("/elsewhere")).toEqual([404, "Not Found"]);
  });
});
