import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import {
  createEphemeralIdentity,
  createGatewayClient,
  createMemoryTokenStore,
  type GatewayClientOptions,
} from "../src/index.ts";
import { createFakeGateway, helloOk, type FakeGatewayOptions } from "./support/fake-gateway.ts";
import { rejection } from "./support/rejection.ts";

const CODE_INVALID = {
  code: "INVALID_REQUEST",
  message: "unauthorized: setup code invalid, expired, revoked, or already used (…)",
  details: { code: "AUTH_BOOTSTRAP_TOKEN_INVALID", authReason: "bootstrap_token_invalid" },
};
const PAIRING = {
  code: "NOT_PAIRED",
  message: "pairing required: device is not approved yet",
  details: { code: "PAIRING_REQUIRED", requestId: "r-1" },
};
const OFFERS_WAIT = { nonce: "n", ts: 1_700_000_000_000, capabilities: ["pairing-wait"] };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setup(fake: FakeGatewayOptions, options: Partial<GatewayClientOptions> = {}) {
  const gateway = createFakeGateway(fake);
  const states: string[] = [];
  const client = createGatewayClient({
    url: "ws://127.0.0.1:18789",
    transport: gateway.dial,
    random: () => 0.5,
    role: "node",
    identity: createEphemeralIdentity(),
    ...options,
  });
  client.on("state", (state) => void states.push(state.kind));
  onTestFinished(() => client.close());
  return { client, gateway, states };
}

describe("a setup code", () => {
  test("is presented alone, in protocol 4, until a hello issues tokens; those are kept", async () => {
    const deviceStore = createMemoryTokenStore();
    const identity = createEphemeralIdentity();
    const deviceTokens = [{ deviceToken: "op", role: "operator", scopes: ["operator.read"] }];
    const auth = { role: "node", scopes: [], deviceToken: "mine", deviceTokens };
    const { client, gateway } = setup(
      { onConnect: () => ({ auth }) },
      { identity, deviceStore, bootstrapToken: "boot", token: "shared" },
    );
    await client.connect();
    expect(gateway.last().connectParams).toMatchObject({
      minProtocol: 4,
      auth: { bootstrapToken: "boot" },
    });
    expect(gateway.last().connectParams?.auth).toEqual({ bootstrapToken: "boot" });
    await vi.advanceTimersByTimeAsync(0);
    const key = { endpoint: "127.0.0.1:18789", deviceId: identity.deviceId };
    expect(await deviceStore.get({ ...key, role: "node" })).toMatchObject({ token: "mine" });
    expect(await deviceStore.get({ ...key, role: "operator" })).toMatchObject({ token: "op" });

    gateway.last().transport.terminate();
    await vi.advanceTimersByTimeAsync(3_000);
    expect(gateway.last().connectParams?.auth).toEqual({ token: "shared" });
  });

  test("is shown again when the answer was lost", async () => {
    const { client, gateway } = setup(
      {
        onConnect(_params, link, attempt) {
          if (attempt > 1) return {};
          link.transport.terminate();
          return "hold";
        },
      },
      { bootstrapToken: "boot" },
    );
    const connected = client.connect();
    await vi.advanceTimersByTimeAsync(3_000);
    await connected;
    expect(gateway.dials).toBe(2);
    expect(gateway.last().connectParams?.auth).toEqual({ bootstrapToken: "boot" });
  });

  test("that is used up is final, and says where to get another", async () => {
    const { client } = setup(
      { onConnect: () => ({ error: CODE_INVALID }) },
      { bootstrapToken: "b" },
    );
    expect(await rejection(client.connect())).toMatchObject({
      code: "AUTH_FAILED",
      final: true,
      hint: expect.stringContaining("openclaw qr"),
    });
  });

  test("that is used up gives way to another credential, where there is one", async () => {
    const { client, gateway } = setup(
      { onConnect: (params) => (params.auth?.bootstrapToken ? { error: CODE_INVALID } : {}) },
      { bootstrapToken: "b", token: "shared" },
    );
    await client.connect();
    expect(gateway.last().connectParams?.auth).toEqual({ token: "shared" });
  });
});

describe("waiting for approval in the handshake", () => {
  test("is asked for only where the Gateway offers it, and only by who waits", async () => {
    const caps = async (challenge: object | undefined, reconnect: boolean): Promise<unknown> => {
      const { client, gateway } = setup(challenge === undefined ? {} : { challenge }, {
        reconnect,
        caps: ["system"],
      });
      await client.connect();
      return gateway.last().connectParams?.["caps"];
    };
    expect(await caps(OFFERS_WAIT, true)).toEqual(["system", "pairing-wait"]);
    expect(await caps(OFFERS_WAIT, false)).toEqual(["system"]);
    expect(await caps(undefined, true)).toEqual(["system"]);
  });

  test("shows the request at once, asks nothing meanwhile, and opens with the decision", async () => {
    const { client, gateway, states } = setup({
      challenge: OFFERS_WAIT,
      onConnect(_params, link) {
        link.event("device.pair.waiting", { error: PAIRING, waitMs: 30_000 });
        return "hold";
      },
    });
    const connected = client.connect();
    await vi.advanceTimersByTimeAsync(29_000);
    expect(client.state).toMatchObject({ kind: "pairing", requestId: "r-1" });
    expect(gateway.dials).toBe(1);
    const link = gateway.last();
    if (link.connect) link.answer(link.connect, helloOk());
    await connected;
    expect(states).toEqual(["connecting", "pairing", "open"]);
  });

  test("goes on for ever, twice a minute, and outlives a Gateway that never answers", async () => {
    const { client, gateway } = setup({
      challenge: OFFERS_WAIT,
      onConnect(_params, link) {
        link.event("device.pair.waiting", { error: PAIRING, waitMs: 30_000 });
        setTimeout(() => link.connect && link.refuse(link.connect, PAIRING), 30_000);
        return "hold";
      },
    });
    client.connect().catch(() => {});
    await vi.advanceTimersByTimeAsync(20 * 60_000);
    expect(gateway.dials).toBeGreaterThanOrEqual(38);
    expect(gateway.dials).toBeLessThanOrEqual(41);
    expect(client.state.kind).toBe("pairing");

    const silent = setup({
      challenge: OFFERS_WAIT,
      onConnect(_params, link) {
        link.event("device.pair.waiting", { error: PAIRING, waitMs: 1e12 });
        return "hold";
      },
    });
    silent.client.connect().catch(() => {});
    await vi.advanceTimersByTimeAsync(330_000);
    expect(silent.gateway.dials).toBeGreaterThan(1);
  });
});

test("a pause that the Gateway names after too many guesses is kept to, and not a minute instead", async () => {
  const limited = {
    code: "INVALID_REQUEST",
    message: "unauthorized: too many failed attempts",
    retryAfterMs: 500,
    details: { code: "AUTH_RATE_LIMITED", recommendedNextStep: "wait_then_retry" },
  };
  const { client } = setup({
    onConnect: (_params, _link, attempt) => (attempt === 1 ? { error: limited } : {}),
  });
  const connected = client.connect();
  await vi.advanceTimersByTimeAsync(1_500);
  expect(await connected).toMatchObject({ type: "hello-ok" });
});
