import { duplexPair } from "node:stream";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import {
  createEphemeralIdentity,
  createGatewayClient,
  createMemoryTokenStore,
} from "../src/index.ts";
import { createFakeCarrier } from "./support/fake-carrier.ts";
import { createFakeGateway } from "./support/fake-gateway.ts";
import { rejection } from "./support/rejection.ts";
import type { AttemptFailure, GatewayClient, GatewayClientOptions } from "../src/index.ts";
import type { FakeCarrier } from "./support/fake-carrier.ts";
import type { FakeGateway, FakeGatewayOptions } from "./support/fake-gateway.ts";

const KEY = "ssh://me@box:22/18789";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

interface Setup {
  client: GatewayClient;
  gateway: FakeGateway;
  carrier: FakeCarrier;
  failures: AttemptFailure[];
  states: string[];
}

function setup(fake: FakeGatewayOptions = {}, options: Partial<GatewayClientOptions> = {}): Setup {
  const gateway = createFakeGateway(fake);
  const carrier = createFakeCarrier();
  const failures: AttemptFailure[] = [];
  const states: string[] = [];
  const client = createGatewayClient({
    url: "ws://127.0.0.1:18789",
    transport: gateway.dial,
    dial: carrier.dial,
    carrierReady: carrier.ready,
    endpointKey: KEY,
    random: () => 0.5,
    onAttempt: (failure) => failures.push(failure),
    ...options,
  });
  client.on("state", (state) => void states.push(state.kind));
  onTestFinished(() => client.close());
  return { client, gateway, carrier, failures, states };
}

async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

/** A tunnel's error, as far as the client looks at one. */
function tunnelError(message: string, final: boolean, hint?: string): Error {
  return Object.assign(new Error(message), { final, ...(hint !== undefined && { hint }) });
}

describe("a dial", () => {
  test("may take as long as it wants; the handshake has its own time", async () => {
    const { client, gateway, carrier } = setup({ challenge: false }, { reconnect: false });
    carrier.leave();
    const connected = rejection(client.connect());
    await vi.advanceTimersByTimeAsync(10 * 60_000);
    expect(client.state).toMatchObject({ kind: "connecting", attempt: 1 });
    expect(gateway.dials).toBe(0);
    carrier.comeBack();
    await vi.advanceTimersByTimeAsync(14_999);
    expect(client.state.kind).toBe("connecting");
    await vi.advanceTimersByTimeAsync(1);
    expect(await connected).toMatchObject({ code: "CONNECT_TIMEOUT" });
  });

  test("that fails for good ends the client, with the carrier's words and its cure", async () => {
    const { client, carrier, failures } = setup();
    const cause = tunnelError("the host key of box has changed", true, "Ask who runs box.");
    carrier.fail(cause);
    await expect(client.connect()).rejects.toMatchObject({
      code: "CONNECT_REFUSED",
      final: true,
      message: `cannot reach ${KEY}: the host key of box has changed`,
      hint: "Ask who runs box.",
      cause,
    });
    await expect(client.closed).resolves.toMatchObject({ error: { code: "CONNECT_REFUSED" } });
    expect(failures).toMatchObject([{ retryInMs: undefined }]);
    expect(carrier.dials).toBe(1);
  });

  test("that fails otherwise is met with the backoff, for the carrier is there", async () => {
    const { client, carrier, failures } = setup();
    carrier.fail(tunnelError("nothing listens on port 18789 of box", false));
    client.connect().catch(() => {});
    await vi.advanceTimersByTimeAsync(2_000);
    expect(failures.map((failure) => failure.retryInMs)).toEqual([500, 1_000, 2_000]);
    expect(carrier.dials).toBe(3);
    carrier.fail(undefined);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(client.state.kind).toBe("open");
  });

  test("that throws no error, or throws at once, has failed all the same", async () => {
    for (const thrown of ["nonsense", null, {}]) {
      const { client } = setup(
        {},
        {
          reconnect: false,
          dial: () => {
            throw thrown;
          },
        },
      );
      // oxlint-disable-next-line no-await-in-loop
      expect(await rejection(client.connect())).toMatchObject({
        code: "CONNECT_REFUSED",
        final: false,
      });
    }
  });

  test("is given up by close(), and a stream that comes too late is destroyed", async () => {
    const late = Promise.withResolvers<ReturnType<typeof duplexPair>[0]>();
    let signal: AbortSignal | undefined;
    const { client, gateway } = setup(
      {},
      {
        dial: (_, options) => {
          signal = options.signal;
          return late.promise;
        },
      },
    );
    const connected = rejection(client.connect());
    await settle();
    await client.close();
    expect(signal?.aborted).toBe(true);
    expect(await connected).toMatchObject({ code: "CLOSED" });
    const [near] = duplexPair();
    late.resolve(near);
    await settle();
    expect(near.destroyed).toBe(true);
    expect(gateway.dials).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("to a host that plaintext may not reach is fine, for nothing goes there in the clear", async () => {
    const { client } = setup({}, { url: "ws://gateway.example.com" });
    await expect(client.connect()).resolves.toBeDefined();
  });
});

describe("a carrier that goes away", () => {
  test("is waited for, and dialled at once when it is back", async () => {
    const { client, gateway, carrier, states } = setup();
    await client.connect();
    await vi.advanceTimersByTimeAsync(60_000);
    carrier.leave();
    await vi.advanceTimersByTimeAsync(25_000);
    expect(client.state).toMatchObject({ kind: "waiting", reason: { code: "CONNECTION_LOST" } });
    expect(carrier.dials).toBe(1);
    carrier.comeBack();
    await vi.advanceTimersByTimeAsync(125);
    expect(client.state.kind).toBe("open");
    expect(carrier.dials).toBe(2);
    expect(gateway.links).toHaveLength(2);
    expect(states).toEqual(["connecting", "open", "waiting", "connecting", "open"]);
  });

  test("finds one attempt and no more, however often it goes and comes", async () => {
    const { client, carrier } = setup();
    await client.connect();
    for (let round = 0; round < 50; round++) {
      carrier.leave();
      // oxlint-disable-next-line no-await-in-loop
      await vi.advanceTimersByTimeAsync((round * 397) % 3_000);
      carrier.comeBack();
      // oxlint-disable-next-line no-await-in-loop
      await vi.advanceTimersByTimeAsync((round * 131) % 1_500);
      expect(carrier.pending).toBeLessThanOrEqual(1);
      expect(carrier.open).toBeLessThanOrEqual(1);
    }
    await vi.advanceTimersByTimeAsync(1_000);
    expect(client.state.kind).toBe("open");
    expect(carrier.open).toBe(1);
    expect(carrier.dialsWhileAway).toBe(0);
    expect(carrier.waiters).toBe(0);
  });

  test("and says nothing is asked by a dial after the longest backoff", async () => {
    const { client, carrier } = setup({}, { backoff: { maxMs: 20_000 } });
    await client.connect();
    carrier.leave();
    carrier.forget();
    await vi.advanceTimersByTimeAsync(19_999);
    expect(carrier.dials).toBe(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(carrier.dials).toBe(2);
    carrier.comeBack();
    await settle();
    expect(client.state.kind).toBe("open");
  });

  test("during a backoff ends it when it comes back", async () => {
    const { client, carrier, gateway } = setup({ onConnect: () => ({}) });
    await client.connect();
    carrier.fail(tunnelError("nothing listens there", false));
    gateway.last().transport.close(1012, "service restart");
    await vi.advanceTimersByTimeAsync(100_000);
    const dials = carrier.dials;
    carrier.leave();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(carrier.dials - dials).toBeLessThanOrEqual(1);
    carrier.fail(undefined);
    carrier.comeBack();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(client.state.kind).toBe("open");
    expect(carrier.dialsWhileAway).toBe(0);
  });

  test("and notices it later than its streams do is waited for all the same", async () => {
    const { client, gateway, carrier, failures } = setup();
    await client.connect();
    for (let loss = 0; loss < 4; loss++) {
      gateway.last().transport.terminate();
      // oxlint-disable-next-line no-await-in-loop
      await settle();
      // oxlint-disable-next-line no-await-in-loop
      await vi.advanceTimersByTimeAsync(failures.at(-1)!.retryInMs!);
    }
    gateway.last().transport.terminate();
    await vi.advanceTimersByTimeAsync(30);
    expect(failures.at(-1)?.retryInMs).toBe(8_000);
    carrier.leave();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(carrier.waiters).toBe(1);
    carrier.comeBack();
    await vi.advanceTimersByTimeAsync(250);
    expect(client.state.kind).toBe("open");
  });

  test("for good ends the client", async () => {
    const { client, carrier } = setup();
    await client.connect();
    carrier.leave();
    await vi.advanceTimersByTimeAsync(1_000);
    carrier.die(tunnelError("box refuses every key", true));
    await expect(client.closed).resolves.toMatchObject({
      error: { code: "CONNECT_REFUSED", final: true },
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is no longer waited for after close()", async () => {
    const { client, carrier } = setup();
    await client.connect();
    carrier.leave();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(carrier.waiters).toBe(1);
    await client.close();
    await settle();
    expect(carrier.waiters).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    carrier.comeBack();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(carrier.dials).toBe(1);
  });

  test("comes back to a Gateway that said when it will be there, and waits for that", async () => {
    const { client, gateway, carrier } = setup();
    await client.connect();
    gateway.last().event("shutdown", { reason: "restart", restartExpectedMs: 5_000 }, 1);
    await settle();
    carrier.leave();
    await vi.advanceTimersByTimeAsync(500);
    carrier.comeBack();
    await vi.advanceTimersByTimeAsync(4_400);
    expect(carrier.dials).toBe(1);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(client.state.kind).toBe("open");
  });
});

describe("a carrier that is there", () => {
  test("is dialled soon after a stable connection broke, and with the backoff after the next", async () => {
    const { client, gateway, failures } = setup();
    await client.connect();
    await vi.advanceTimersByTimeAsync(10_000);
    for (let loss = 0; loss < 4; loss++) {
      gateway.last().transport.terminate();
      // oxlint-disable-next-line no-await-in-loop
      await settle();
      // oxlint-disable-next-line no-await-in-loop
      await vi.advanceTimersByTimeAsync(failures.at(-1)!.retryInMs!);
      expect(client.state.kind).toBe("open");
    }
    expect(failures.map((failure) => failure.retryInMs)).toEqual([125, 1_000, 2_000, 4_000]);
  });

  test("and wrongly says that it was away is dialled once a second at most", async () => {
    const { client, carrier } = setup(
      {},
      { carrierReady: () => new Promise((resolve) => setTimeout(resolve, 20)) },
    );
    carrier.fail(tunnelError("nothing listens there", false));
    client.connect().catch(() => {});
    await vi.advanceTimersByTimeAsync(60_000);
    expect(carrier.dials).toBeGreaterThan(30);
    expect(carrier.dials).toBeLessThanOrEqual(62);
  });

  test("and cannot tell is met with the backoff", async () => {
    const { client, carrier, failures } = setup(
      {},
      { carrierReady: () => Promise.reject(new Error("no idea")) },
    );
    carrier.fail(tunnelError("nothing listens there", false));
    client.connect().catch(() => {});
    await vi.advanceTimersByTimeAsync(2_000);
    expect(failures.map((failure) => failure.retryInMs)).toEqual([500, 1_000, 2_000]);
  });
});

describe("device tokens over a carrier", () => {
  const identity = createEphemeralIdentity();
  const kept = { token: "of another box", scopes: [], updatedAtMs: 1 };
  const auth = { role: "operator", scopes: [], deviceToken: "of this box" };

  test("are kept under the endpoint key, and that of the URL is never offered", async () => {
    const deviceStore = createMemoryTokenStore();
    const key = { role: "operator", deviceId: identity.deviceId };
    await deviceStore.set({ ...key, endpoint: "127.0.0.1:18789" }, kept);
    await deviceStore.set({ ...key, endpoint: "ssh://me@other:22/18789" }, kept);
    const { client, gateway } = setup({ onConnect: () => ({ auth }) }, { identity, deviceStore });
    await client.connect();
    await client.close();
    expect(gateway.last().connectParams).not.toHaveProperty("auth");
    expect(await deviceStore.get({ ...key, endpoint: KEY })).toMatchObject({
      token: "of this box",
    });
    expect(await deviceStore.get({ ...key, endpoint: "127.0.0.1:18789" })).toEqual(kept);
  });

  test("without an endpoint key stay in memory", async () => {
    const deviceStore = createMemoryTokenStore();
    const key = { endpoint: "127.0.0.1:18789", role: "operator", deviceId: identity.deviceId };
    await deviceStore.set(key, kept);
    const { client, gateway } = setup(
      { onConnect: () => ({ auth }) },
      { identity, deviceStore, endpointKey: undefined },
    );
    await client.connect();
    expect(gateway.last().connectParams).not.toHaveProperty("auth");
    gateway.last().transport.terminate();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(gateway.last().connectParams).toHaveProperty("auth", { deviceToken: "of this box" });
    expect(await deviceStore.get(key)).toEqual(kept);
  });
});
