import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import {
  createEphemeralIdentity,
  createGatewayClient,
  createMemoryTokenStore,
} from "../src/index.ts";
import { createFakeGateway, REFUSED } from "./support/fake-gateway.ts";
import { rejection } from "./support/rejection.ts";
import type { AttemptFailure, GatewayClient, GatewayClientOptions } from "../src/index.ts";
import type { FakeGateway, FakeGatewayOptions } from "./support/fake-gateway.ts";

const URL = "ws://127.0.0.1:18789";
const AUTH_MISMATCH = {
  code: "INVALID_REQUEST",
  message: "unauthorized: gateway token mismatch (…)",
  details: { code: "AUTH_TOKEN_MISMATCH", canRetryWithDeviceToken: true },
};
const PAIRING = {
  code: "NOT_PAIRED",
  message: "pairing required: device is not approved yet",
  details: { code: "PAIRING_REQUIRED", requestId: "r-1" },
};

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Setup {
  client: GatewayClient;
  gateway: FakeGateway;
  failures: AttemptFailure[];
  states: string[];
}

function setup(fake: FakeGatewayOptions = {}, options: Partial<GatewayClientOptions> = {}): Setup {
  const gateway = createFakeGateway(fake);
  const failures: AttemptFailure[] = [];
  const states: string[] = [];
  const client = createGatewayClient({
    url: URL,
    transport: gateway.dial,
    random: () => 0.5,
    onAttempt: (failure) => failures.push(failure),
    ...options,
  });
  client.on("state", (state) => void states.push(state.kind));
  onTestFinished(() => client.close());
  return { client, gateway, failures, states };
}

async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

describe("the handshake", () => {
  test("waits for the challenge and presents client, role, scopes and token", async () => {
    const { client, gateway, states } = setup({}, { token: "t", scopes: ["operator.read"] });
    const hello = await client.connect();
    expect(hello.protocol).toBe(4);
    expect(client.hello).toBe(hello);
    expect(states).toEqual(["connecting", "open"]);
    expect(gateway.last().connectParams).toMatchObject({
      minProtocol: 4,
      maxProtocol: 4,
      client: { id: "gateway-client", mode: "backend" },
      role: "operator",
      scopes: ["operator.read"],
      auth: { token: "t" },
    });
    expect(gateway.last().connectParams).not.toHaveProperty("device");
  });

  test("of a node offers 3 to 4 and signs v2, which both generations accept", async () => {
    const identity = createEphemeralIdentity();
    const sign = vi.spyOn(identity, "sign");
    const { client, gateway } = setup(
      {},
      {
        role: "node",
        identity,
        token: "t",
        commands: ["x.y"],
        caps: ["c"],
        permissions: { p: true },
      },
    );
    await client.connect();
    const params = gateway.last().connectParams;
    expect(params).toMatchObject({
      minProtocol: 3,
      maxProtocol: 4,
      role: "node",
      client: { id: "node-host", mode: "node" },
      commands: ["x.y"],
      caps: ["c"],
      permissions: { p: true },
      device: { id: identity.deviceId, nonce: "nonce-1", signedAt: 1_700_000_000_000 },
    });
    expect(sign).toHaveBeenCalledWith(
      `v2|${identity.deviceId}|node-host|node|node||1700000000000|t|nonce-1`,
    );
  });

  test("of an operator signs v3 with platform and family", async () => {
    const identity = createEphemeralIdentity();
    const sign = vi.spyOn(identity, "sign");
    const info = {
      id: "cli",
      mode: "cli",
      version: "1",
      platform: "Linux",
      deviceFamily: "Box",
    } as const;
    const { client } = setup({}, { identity, client: info, scopes: ["a", "b"] });
    await client.connect();
    expect(sign).toHaveBeenCalledWith(
      `v3|${identity.deviceId}|cli|cli|operator|a,b|1700000000000||nonce-1|linux|box`,
    );
  });

  test("falls back to protocol 3 with a v2 signature when the gateway expects 3", async () => {
    const identity = createEphemeralIdentity();
    const sign = vi.spyOn(identity, "sign");
    const { client, gateway, failures } = setup(
      {
        onConnect: (params) =>
          params.maxProtocol === 3
            ? { protocol: 3 }
            : {
                error: {
                  code: "INVALID_REQUEST",
                  message: "protocol mismatch",
                  details: { expectedProtocol: 3 },
                },
              },
      },
      { identity },
    );
    expect((await client.connect()).protocol).toBe(3);
    expect(gateway.dials).toBe(2);
    expect(failures).toEqual([]);
    expect(gateway.last().connectParams).toMatchObject({ minProtocol: 3, maxProtocol: 3 });
    expect(sign.mock.lastCall?.[0]).toMatch(/^v2\|/);
  });

  test("signs v2 when a v3 signature is refused", async () => {
    const { client, gateway } = setup(
      {
        onConnect: (_, __, attempt) =>
          attempt > 1
            ? {}
            : { error: { code: "INVALID_REQUEST", message: "device signature invalid" } },
      },
      { identity: createEphemeralIdentity() },
    );
    await client.connect();
    expect(gateway.dials).toBe(2);
  });

  test("a protocol that the caller fixed is not renegotiated, and its refusal is final", async () => {
    const { client, gateway } = setup(
      {
        onConnect: () => ({
          error: {
            code: "INVALID_REQUEST",
            message: "protocol mismatch",
            details: { code: "PROTOCOL_MISMATCH", expectedProtocol: 3 },
          },
        }),
      },
      { minProtocol: 4, maxProtocol: 4 },
    );
    await expect(client.connect()).rejects.toMatchObject({
      code: "PROTOCOL_MISMATCH",
      final: true,
    });
    expect(gateway.dials).toBe(1);
  });

  test("a gateway that keeps contradicting itself is not asked for ever", async () => {
    const { client, gateway } = setup(
      {
        onConnect: (params) => ({
          error: {
            code: "INVALID_REQUEST",
            message: "protocol mismatch",
            details: { expectedProtocol: params.maxProtocol === 3 ? 4 : 3 },
          },
        }),
      },
      { reconnect: false },
    );
    await expect(client.connect()).rejects.toMatchObject({ code: "PROTOCOL_MISMATCH" });
    expect(gateway.dials).toBeLessThan(7);
  });

  test("garbage instead of a challenge is NOT_A_GATEWAY", async () => {
    const { client, gateway } = setup({ challenge: false }, { reconnect: false });
    const connected = client.connect();
    connected.catch(() => {});
    await settle();
    gateway.last().send("SSH-2.0-OpenSSH_9.9");
    await expect(connected).rejects.toMatchObject({
      code: "NOT_A_GATEWAY",
      hint: expect.stringContaining("Another program"),
    });
  });

  test("without a challenge it fails with CONNECT_TIMEOUT that says what was missing", async () => {
    const { client, gateway } = setup({ challenge: false }, { reconnect: false });
    const connected = rejection(client.connect());
    await vi.advanceTimersByTimeAsync(15_000);
    expect(await connected).toMatchObject({
      code: "CONNECT_TIMEOUT",
      message: expect.stringContaining("challenge"),
    });
    await expect(gateway.last().closed).resolves.toMatchObject({ code: 4000 });
  });

  test("a challenge without a nonce is refused", async () => {
    const { client } = setup({ challenge: { nonce: "", ts: 1 } }, { reconnect: false });
    await expect(client.connect()).rejects.toMatchObject({ code: "HANDSHAKE_REJECTED" });
  });

  test.each([
    ["device tokens that are none", { auth: { deviceTokens: 5 } }],
    ["scopes that are none", { auth: { deviceToken: "t", scopes: 5 } }],
    ["null in their place", { auth: { deviceTokens: [null] } }],
  ])("a hello with %s is NOT_A_GATEWAY, and no more than that", async (_title, hello) => {
    const { client } = setup(
      { onConnect: () => hello },
      { reconnect: false, identity: createEphemeralIdentity() },
    );
    await expect(client.connect()).rejects.toMatchObject({ code: "NOT_A_GATEWAY" });
  });

  test("plaintext to a public host is refused before anything is dialled", async () => {
    const { client, gateway } = setup({}, { url: "ws://gateway.example.com" });
    await expect(client.connect()).rejects.toMatchObject({ code: "INSECURE_URL", final: true });
    expect(gateway.dials).toBe(0);
  });

  test("text of the peer cannot move the cursor of a terminal", async () => {
    const { client } = setup({
      onConnect: () => ({ error: { code: "INVALID_REQUEST", message: "\u001b[2Jinvalid role\n" } }),
    });
    const error = await client.connect().catch((cause: unknown) => cause);
    // oxlint-disable-next-line no-control-regex
    expect((error as Error).message).not.toMatch(/[\u0000-\u001f]/);
  });
});

describe("device tokens", () => {
  const identity = createEphemeralIdentity();
  const key = { endpoint: "127.0.0.1:18789", role: "operator", deviceId: identity.deviceId };
  const kept = { token: "stored", scopes: [], updatedAtMs: 1 };

  test("are stored per endpoint and role as the hello issues them", async () => {
    const deviceStore = createMemoryTokenStore();
    const deviceTokens = [{ deviceToken: "node-token", role: "node", scopes: [], issuedAtMs: 1 }];
    const auth = { role: "operator", scopes: ["operator.read"], deviceToken: "new", deviceTokens };
    const { client } = setup(
      { onConnect: () => ({ auth }) },
      { identity, deviceStore, token: "t" },
    );
    await client.connect();
    await client.close();
    expect(await deviceStore.get(key)).toMatchObject({ token: "new", scopes: ["operator.read"] });
    expect(await deviceStore.get({ ...key, role: "node" })).toMatchObject({ token: "node-token" });
    expect(await deviceStore.get({ ...key, endpoint: "127.0.0.1:1" })).toBeUndefined();
  });

  test("stand in for a secret that was not given, signed with it", async () => {
    const deviceStore = createMemoryTokenStore();
    await deviceStore.set(key, kept);
    const { client, gateway } = setup({}, { identity, deviceStore });
    await client.connect();
    expect(gateway.last().connectParams?.["auth"]).toEqual({ token: "stored" });
    gateway.last().transport.close(1012, "service restart");
    await vi.advanceTimersByTimeAsync(1_000);
    // The peer is known to speak 4 by now.
    expect(gateway.last().connectParams?.["auth"]).toEqual({ deviceToken: "stored" });
  });

  test("are never sent beside or instead of an explicit secret at first", async () => {
    const deviceStore = createMemoryTokenStore();
    await deviceStore.set(key, kept);
    const { client, gateway } = setup({}, { identity, deviceStore, token: "explicit" });
    await client.connect();
    expect(gateway.last().connectParams?.["auth"]).toEqual({ token: "explicit" });
  });

  test("are tried once beside a refused secret when the gateway offers it", async () => {
    const deviceStore = createMemoryTokenStore();
    await deviceStore.set(key, kept);
    const { client, gateway } = setup(
      { onConnect: (params) => (params.auth?.deviceToken ? {} : { error: AUTH_MISMATCH }) },
      { identity, deviceStore, token: "old" },
    );
    await client.connect();
    expect(gateway.links.map((link) => link.connectParams?.["auth"])).toEqual([
      { token: "old" },
      { token: "old", deviceToken: "stored" },
    ]);
  });

  test("are not tried so over plaintext to another host", async () => {
    const deviceStore = createMemoryTokenStore();
    await deviceStore.set({ ...key, endpoint: "192.168.1.5:18789" }, kept);
    const { client, gateway } = setup(
      { onConnect: () => ({ error: AUTH_MISMATCH }) },
      { url: "ws://192.168.1.5", identity, deviceStore, token: "old" },
    );
    await expect(client.connect()).rejects.toMatchObject({ code: "AUTH_FAILED", final: true });
    expect(gateway.dials).toBe(1);
  });

  test("that are stale are forgotten, and the same identity connects without one", async () => {
    const deviceStore = createMemoryTokenStore();
    await deviceStore.set(key, kept);
    const { client, gateway } = setup(
      {
        onConnect: (params) =>
          params.auth
            ? { error: { ...AUTH_MISMATCH, details: { code: "AUTH_DEVICE_TOKEN_MISMATCH" } } }
            : {},
      },
      { identity, deviceStore },
    );
    await client.connect();
    expect(gateway.dials).toBe(2);
    expect(gateway.last().connectParams?.["device"]).toMatchObject({ id: identity.deviceId });
    expect(await deviceStore.get(key)).toBeUndefined();
  });

  test("that are stale beside a refused secret are forgotten, and the failure is final", async () => {
    const deviceStore = createMemoryTokenStore();
    await deviceStore.set(key, kept);
    const { client, gateway } = setup(
      { onConnect: () => ({ error: AUTH_MISMATCH }) },
      { identity, deviceStore, token: "old" },
    );
    await expect(client.connect()).rejects.toMatchObject({ code: "AUTH_FAILED", final: true });
    expect(gateway.dials).toBe(2);
    expect(await deviceStore.get(key)).toBeUndefined();
  });

  test("that cannot be read cost nothing but the token", async () => {
    const failing = () => Promise.reject(new Error("disk"));
    const { client, gateway } = setup(
      { onConnect: () => ({ auth: { role: "operator", scopes: [], deviceToken: "new" } }) },
      { identity, deviceStore: { get: failing, set: failing, remove: failing }, token: "t" },
    );
    await client.connect();
    expect(gateway.last().connectParams?.["auth"]).toEqual({ token: "t" });
  });
});

describe("requests", () => {
  test("are answered by id, in any order", async () => {
    const { client, gateway } = setup();
    await client.connect();
    const answers = Promise.all([client.request("a", { n: 1 }), client.request("b", { n: 2 })]);
    await settle();
    const [a, b] = gateway.last().requests;
    gateway.last().answer(b!, "second");
    gateway.last().answer(a!, "first");
    expect(await answers).toEqual(["first", "second"]);
  });

  test("that the gateway refuses reject with its error", async () => {
    const { client } = setup({
      onRequest: (request, link) =>
        link.refuse(request, {
          code: "UNAVAILABLE",
          message: "busy",
          details: { code: "X" },
          retryable: true,
          retryAfterMs: 50,
        }),
    });
    await client.connect();
    await expect(client.request("some.method", {})).rejects.toMatchObject({
      name: "RemoteError",
      method: "some.method",
      code: "UNAVAILABLE",
      message: "busy",
      details: { code: "X" },
      retryable: true,
      retryAfterMs: 50,
    });
  });

  test("left unanswered fail with REQUEST_TIMEOUT, and a late answer is dropped", async () => {
    const { client, gateway } = setup();
    await client.connect();
    const outcome = rejection(client.request("slow", {}, { timeoutMs: 2_000 }));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await outcome).toMatchObject({
      code: "REQUEST_TIMEOUT",
    });
    gateway.last().answer(gateway.last().requests[0]!, "late");
    await settle();
    expect(client.state.kind).toBe("open");
  });

  test("reject with the reason of their signal, and leave no listener behind", async () => {
    const { client, gateway } = setup();
    await client.connect();
    const controller = new AbortController();
    const remove = vi.spyOn(controller.signal, "removeEventListener");
    const given = client.request("slow", {}, { signal: controller.signal });
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(given).rejects.toBe(reason);
    await expect(client.request("x", {}, { signal: controller.signal })).rejects.toBe(reason);
    expect(remove).toHaveBeenCalled();
    await settle();
    expect(gateway.last().requests).toHaveLength(1);
  });

  test("in flight fail with CONNECTION_LOST when the connection dies", async () => {
    const { client, gateway } = setup();
    await client.connect();
    const answer = client.request("node.list", {});
    await settle();
    gateway.last().transport.terminate();
    await expect(answer).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    await expect(client.request("node.list", {})).rejects.toMatchObject({
      code: "CONNECTION_LOST",
    });
  });

  test("with expectFinal skip the answer that only accepts", async () => {
    const { client } = setup({
      onRequest(request, link) {
        link.answer(request, { status: "accepted", runId: "1" });
        link.answer(request, { status: "ok" });
      },
    });
    await client.connect();
    expect(await client.request("agent", {}, { expectFinal: true })).toEqual({ status: "ok" });
    expect(await client.request("agent", {})).toEqual({ status: "accepted", runId: "1" });
  });

  test("larger than a frame of this gateway fail alone, before anything is sent", async () => {
    const { client, gateway } = setup({ onConnect: () => ({ policy: { maxPayload: 1_000 } }) });
    await client.connect();
    await expect(client.request("x", { text: "a".repeat(990) })).rejects.toMatchObject({
      code: "REQUEST_TOO_LARGE",
    });
    await expect(client.request("x", { text: "€".repeat(320) })).rejects.toMatchObject({
      code: "REQUEST_TOO_LARGE",
    });
    await settle();
    expect(gateway.last().requests).toEqual([]);
    expect(client.state.kind).toBe("open");
  });

  test("beyond the limits in count and bytes fail with BACKPRESSURE", async () => {
    const { client, gateway } = setup({}, { maxInFlight: 1 });
    await client.connect();
    const first = client.request("a", {});
    first.catch(() => {});
    await expect(client.request("b", {})).rejects.toMatchObject({ code: "BACKPRESSURE" });
    await settle();
    gateway.last().answer(gateway.last().requests[0]!, 1);
    await first;
    gateway.last().clientSide.setBuffered(100 * 1024 * 1024);
    await expect(client.request("c", {})).rejects.toMatchObject({ code: "BACKPRESSURE" });
  });

  test("whose params cannot be written as JSON reject and leave nothing pending", async () => {
    const { client } = setup({}, { maxInFlight: 1 });
    await client.connect();
    await expect(client.request("a", { n: 1n })).rejects.toBeInstanceOf(TypeError);
    const next = client.request("b", {});
    next.catch(() => {});
    expect(client.state.kind).toBe("open");
  });

  test("a frame that makes no sense after the hello is dropped, and the connection stays", async () => {
    const { client, gateway } = setup();
    await client.connect();
    gateway.last().send("not json");
    gateway.last().send({ type: "res", id: 7 });
    gateway.last().send([]);
    await settle();
    expect(client.state.kind).toBe("open");
  });
});

describe("events", () => {
  test("reach listeners by name and under *, until they unsubscribe", async () => {
    const { client, gateway } = setup();
    await client.connect();
    const seen: unknown[] = [];
    const off = client.on("tick", (payload) => void seen.push(payload));
    client.on("*", (_, frame) => void seen.push(frame.event));
    gateway.last().event("tick", { ts: 1 }, 1);
    await settle();
    off();
    gateway.last().event("tick", { ts: 2 }, 2);
    await settle();
    expect(seen).toEqual([{ ts: 1 }, "tick", "tick"]);
  });

  test("that are missing are told as a gap", async () => {
    const { client, gateway } = setup();
    await client.connect();
    const gap = vi.fn();
    client.on("gap", gap);
    gateway.last().event("tick", {}, 1);
    gateway.last().event("tick", {}, 5);
    gateway.last().event("node.invoke.request", {});
    await settle();
    expect(gap).toHaveBeenCalledExactlyOnceWith({ expected: 2, received: 5 });
  });

  test("a listener that throws is reported and harms nobody else", async () => {
    const error = vi.fn();
    const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error };
    const { client, gateway } = setup({}, { logger: quiet });
    await client.connect();
    const seen = vi.fn();
    client.on("tick", () => {
      throw new Error("mine");
    });
    client.on("tick", seen);
    gateway.last().event("tick", {});
    await settle();
    expect(seen).toHaveBeenCalledTimes(1);
    expect(error).toHaveBeenCalledTimes(1);
  });
});

describe("reconnect", () => {
  test("every failed attempt is told with its cause and the pause that follows", async () => {
    const { client, gateway, failures, states } = setup({
      refuseDial: (attempt) => (attempt <= 4 ? REFUSED : undefined),
    });
    const connected = client.connect();
    await vi.advanceTimersByTimeAsync(20_000);
    await connected;
    expect(gateway.dials).toBe(5);
    expect(failures.map((failure) => failure.attempt)).toEqual([1, 2, 3, 4]);
    expect(failures.map((failure) => failure.retryInMs)).toEqual([500, 1_000, 2_000, 4_000]);
    for (const { error } of failures) {
      expect(error).toMatchObject({ code: "CONNECT_REFUSED", final: false });
      expect(error.message).toContain("ECONNREFUSED");
    }
    expect(states.filter((kind) => kind === "waiting")).toHaveLength(4);
  });

  test("without it the first failure of any kind is the end", async () => {
    const { client, gateway } = setup({ refuseDial: () => REFUSED }, { reconnect: false });
    await expect(client.connect()).rejects.toMatchObject({ code: "CONNECT_REFUSED" });
    expect(gateway.dials).toBe(1);
    expect(client.state.kind).toBe("closed");
    await expect(client.closed).resolves.toMatchObject({ error: { code: "CONNECT_REFUSED" } });
  });

  test("the backoff starts anew only after a stable connection", async () => {
    const { client, gateway, failures } = setup();
    await client.connect();
    const pauses: (number | undefined)[] = [];
    for (const openForMs of [5_000, 5_000, 5_000, 10_000]) {
      await vi.advanceTimersByTimeAsync(openForMs);
      gateway.last().transport.terminate();
      await settle();
      pauses.push(failures.at(-1)?.retryInMs);
      await vi.advanceTimersByTimeAsync(pauses.at(-1)!);
    }
    expect(pauses).toEqual([500, 1_000, 2_000, 500]);
  });

  test("a connection that dies at once again and again is met with growing pauses", async () => {
    const { client, failures } = setup({
      onRequest: () => {},
      onConnect: (_, link) => {
        void Promise.resolve()
          .then(() => {})
          .then(() => {})
          .then(() => link.transport.terminate());
        return {};
      },
    });
    client.connect().catch(() => {});
    await vi.advanceTimersByTimeAsync(20_000);
    expect(failures.slice(0, 4).map((failure) => failure.retryInMs)).toEqual([
      500, 1_000, 2_000, 4_000,
    ]);
  });

  test("an announced restart is waited for", async () => {
    const { client, gateway, failures } = setup();
    await client.connect();
    gateway.last().event("shutdown", { reason: "restart", restartExpectedMs: 3_000 }, 1);
    gateway.last().transport.close(1012, "service restart");
    await settle();
    expect(failures[0]).toMatchObject({ retryInMs: 3_500, error: { closeCode: 1012 } });
    await vi.advanceTimersByTimeAsync(3_500);
    expect(client.state.kind).toBe("open");
  });

  test("a gateway that is still starting is asked again when it said so", async () => {
    const { client, gateway, failures } = setup({
      onConnect: (_, __, attempt) =>
        attempt > 1
          ? {}
          : {
              error: {
                code: "UNAVAILABLE",
                message: "gateway starting; retry shortly",
                retryable: true,
                retryAfterMs: 500,
              },
            },
    });
    const connected = client.connect();
    await vi.advanceTimersByTimeAsync(1_000);
    await connected;
    expect(failures[0]?.retryInMs).toBeGreaterThanOrEqual(500);
    expect(gateway.dials).toBe(2);
  });

  test("a final refusal stops it, and closed tells why", async () => {
    const { client, gateway, failures } = setup({
      onConnect: () => ({ error: { ...AUTH_MISMATCH, details: { code: "AUTH_TOKEN_MISSING" } } }),
    });
    await expect(client.connect()).rejects.toMatchObject({
      code: "AUTH_FAILED",
      final: true,
      hint: expect.stringContaining("OPENCLAW_GATEWAY_TOKEN"),
    });
    await vi.advanceTimersByTimeAsync(120_000);
    expect(gateway.dials).toBe(1);
    expect(failures).toMatchObject([{ retryInMs: undefined }]);
    await expect(client.closed).resolves.toMatchObject({ error: { code: "AUTH_FAILED" } });
  });

  test("a connection superseded by a newer one of the same device does not fight back", async () => {
    const { client, gateway } = setup();
    await client.connect();
    gateway.last().transport.close(1008, "superseded by a newer connection");
    await expect(client.closed).resolves.toMatchObject({
      error: { code: "SUPERSEDED" },
      code: 1008,
    });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(gateway.dials).toBe(1);
  });

  test("changed credentials (4001) are met with another attempt", async () => {
    const { client, gateway } = setup();
    await client.connect();
    gateway.last().transport.close(4001, "gateway auth changed");
    await vi.advanceTimersByTimeAsync(2_000);
    expect(gateway.dials).toBe(2);
    expect(client.state.kind).toBe("open");
  });

  test("a silent peer is left within two keepalive intervals, and the late close harms nothing", async () => {
    const { client, gateway } = setup();
    await client.connect();
    const first = gateway.last();
    first.transport.freeze();
    const lost = rejection(client.request("x", {}));
    await vi.advanceTimersByTimeAsync(12_000);
    expect(await lost).toMatchObject({ code: "CONNECTION_LOST" });
    expect(gateway.dials).toBe(2);
    expect(client.state.kind).toBe("open");
    first.transport.close(1000, "late");
    first.send({ type: "res", id: "2", ok: true });
    await settle();
    expect(client.state.kind).toBe("open");
  });

  test("ticks that stay away close the connection with 4000", async () => {
    const { client, gateway } = setup({ onConnect: () => ({ policy: { tickIntervalMs: 1_000 } }) });
    await client.connect();
    const first = gateway.last();
    await vi.advanceTimersByTimeAsync(2_000);
    await expect(first.closed).resolves.toMatchObject({ code: 4000, reason: "tick timeout" });
  });
});

describe("pairing", () => {
  test("is a state with the request's id, asks at least every 600 ms and ends with approval", async () => {
    let approved = false;
    const { client, gateway, states, failures } = setup({
      onConnect: () => (approved ? {} : { error: PAIRING }),
    });
    const connected = client.connect();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(client.state).toMatchObject({ kind: "pairing", requestId: "r-1" });
    expect(gateway.dials).toBeGreaterThanOrEqual(16);
    expect(failures[0]?.error).toMatchObject({
      code: "PAIRING_REQUIRED",
      hint: expect.stringContaining("openclaw devices approve r-1"),
    });
    approved = true;
    await vi.advanceTimersByTimeAsync(1_000);
    await connected;
    expect(states).toEqual(["connecting", "pairing", "open"]);
  });

  test("slows down after five minutes and does not end", async () => {
    const { client, gateway } = setup({ onConnect: () => ({ error: PAIRING }) });
    client.connect().catch(() => {});
    await vi.advanceTimersByTimeAsync(5 * 60_000);
    const dials = gateway.dials;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(gateway.dials - dials).toBeLessThanOrEqual(9);
    expect(client.state.kind).toBe("pairing");
  });

  test("is an error for a client that does not wait", async () => {
    const { client } = setup({ onConnect: () => ({ error: PAIRING }) }, { reconnect: false });
    await expect(client.connect()).rejects.toMatchObject({
      code: "PAIRING_REQUIRED",
      details: { requestId: "r-1" },
    });
  });
});

describe("close", () => {
  test("twice is one close, and nothing is left behind", async () => {
    const { client, gateway } = setup();
    await client.connect();
    const inFlight = rejection(client.request("x", {}));
    await Promise.all([client.close(), client.close()]);
    expect(await inFlight).toMatchObject({ code: "CLOSED" });
    await expect(gateway.last().closed).resolves.toMatchObject({ code: 1000 });
    await expect(client.closed).resolves.toMatchObject({ error: undefined });
    await expect(client.request("x", {})).rejects.toMatchObject({ code: "CLOSED" });
    await expect(client.connect()).resolves.toBeDefined();
    expect(vi.getTimerCount()).toBe(0);
  });

  test("ends a wait, an attempt and a client that never connected", async () => {
    const waiting = setup({ refuseDial: () => REFUSED });
    const refused = rejection(waiting.client.connect());
    await settle();
    await waiting.client.close();
    expect(await refused).toMatchObject({ code: "CLOSED" });

    const dialling = setup({ challenge: false });
    const ended = rejection(dialling.client.connect());
    await settle();
    await dialling.client.close();
    expect(await ended).toMatchObject({ code: "CLOSED" });

    const idle = setup();
    await idle.client.close();
    await expect(idle.client.connect()).rejects.toMatchObject({ code: "CLOSED" });
    expect(idle.gateway.dials).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("by signal rejects connect with its reason", async () => {
    const controller = new AbortController();
    const { client } = setup({ challenge: false }, { signal: controller.signal });
    const reason = new Error("Ctrl-C");
    const connected = rejection(client.connect());
    controller.abort(reason);
    expect(await connected).toBe(reason);
    await client.closed;
    expect(vi.getTimerCount()).toBe(0);

    const late = setup({}, { signal: controller.signal });
    await expect(late.client.connect()).rejects.toBe(reason);
  });
});
