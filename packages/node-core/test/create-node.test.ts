import { duplexPair, type Duplex } from "node:stream";
import {
  createEphemeralIdentity,
  createMemoryTokenStore,
  type CarrierReadyFunction,
  type DialFunction,
} from "@openclaw/client";
import {
  createNode,
  defineCommand,
  type NodeOptions,
  type OpenClawNode,
} from "@openclaw/node-core";
import { hostStatsSchema } from "@openclaw/protocol";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { createFakeGateway, type FakeGateway } from "./fake-gateway.ts";

const METHODS = ["node.invoke.result", "node.invoke.sync", "node.invoke.progress", "node.event"];

const greet = defineCommand({
  name: "demo.greet",
  params: z.object({ name: z.string() }),
  run: ({ name }) => ({ greeting: `Hello ${name}` }),
});

async function start(
  options: Partial<NodeOptions> = {},
): Promise<{ node: OpenClawNode; gateway: FakeGateway }> {
  const gateway = createFakeGateway(METHODS);
  const node = createNode({
    url: "ws://127.0.0.1:18789",
    token: "t",
    identity: createEphemeralIdentity(),
    commands: [greet],
    client: {
      transport: gateway.transport,
      keepalive: false,
      backoff: { baseMs: 1, maxMs: 1 },
      random: () => 0,
    },
    ...options,
  });
  onTestFinished(() => node.close());
  await node.start();
  return { node, gateway };
}

describe("a node", () => {
  test("declares its commands, their capabilities, and that it keeps a ledger", async () => {
    const other = defineCommand({ name: "abc", params: z.object({}), cap: "camera", run: () => 1 });
    const { node, gateway } = await start({
      commands: [greet, other],
      displayName: "Workshop",
      permissions: { camera: true },
      pathEnv: "/usr/bin",
      caps: ["extra"],
    });
    expect(gateway.connects[0]).toMatchObject({
      role: "node",
      client: { id: "node-host", mode: "node", displayName: "Workshop" },
      caps: ["camera", "demo", "extra", "invoke-ledger"],
      commands: ["abc", "demo.greet"],
      permissions: { camera: true },
      pathEnv: "/usr/bin",
      device: { id: node.nodeId },
    });
    expect(node.state.kind).toBe("open");
  });

  test("runs what it is asked to and answers", async () => {
    const { node, gateway } = await start();
    gateway.send("node.invoke.request", {
      id: "i-1",
      nodeId: node.nodeId,
      command: "demo.greet",
      paramsJSON: '{"name":"Ada"}',
      timeoutMs: 1_000,
      idempotencyKey: "k-1",
    });
    await vi.waitFor(() =>
      expect(gateway.requests).toContainEqual({
        method: "node.invoke.result",
        params: {
          id: "i-1",
          nodeId: node.nodeId,
          ok: true,
          payloadJSON: '{"greeting":"Hello Ada"}',
        },
      }),
    );
  });

  test("comes back after its Gateway was gone, and syncs on each connection", async () => {
    const { node, gateway } = await start();
    const states: string[] = [];
    node.client.on("state", ({ kind }) => void states.push(kind));
    gateway.cut();
    await vi.waitFor(() => expect(states.at(-1)).toBe("open"));
    await vi.waitFor(() =>
      expect(gateway.requests.filter(({ method }) => method === "node.invoke.sync")).toHaveLength(
        2,
      ),
    );
    expect(states).toContain("waiting");
  });

  test("reports its host when asked to", async () => {
    const { gateway } = await start({ reportHostStats: true });
    const report = await vi.waitFor(() => {
      const found = gateway.requests.find(({ params }) => params["event"] === "node.host.stats");
      if (found === undefined) throw new Error("no report yet");
      return found;
    });
    const stats: unknown = JSON.parse(String(report.params["payloadJSON"]));
    expect(hostStatsSchema.parse(stats)).toMatchObject({
      memoryTotalBytes: expect.any(Number),
    });
  });

  test("closes twice in the same way, and says that it is closed", async () => {
    const { node } = await start();
    const closing = node.close();
    expect(node.close()).toBe(closing);
    await closing;
    expect(await node.closed).toMatchObject({ error: undefined });
    expect(node.state.kind).toBe("closed");
  });

  test("cannot have two commands of one name", () => {
    const identity = createEphemeralIdentity();
    expect(() => createNode({ url: "ws://x", identity, commands: [greet, greet] })).toThrow(
      expect.objectContaining({ code: "INVALID_COMMANDS" }),
    );
  });
});

test("the public surface is what it was", async () => {
  const surface = await import("@openclaw/node-core");
  expect(Object.keys(surface).toSorted()).toEqual([
    "CommandError",
    "HOST_STATS_INTERVAL_MS",
    "NodeError",
    "createNode",
    "defineCommand",
    "hostStats",
    "systemCommands",
  ]);
});

describe("a node behind a carrier", () => {
  const auth = { role: "node", scopes: [], deviceToken: "issued" };

  test.each(["of the node", "of its client"])(
    "dials through it and comes back with it: options %s",
    async (place) => {
      const gateway = createFakeGateway(METHODS, { auth });
      const back = Promise.withResolvers<void>();
      const streams: Duplex[] = [];
      let ready = Promise.resolve();
      const carrier = {
        dial: vi.fn<DialFunction>(() => {
          const [near] = duplexPair();
          streams.push(near);
          return Promise.resolve(near);
        }),
        carrierReady: vi.fn<CarrierReadyFunction>(() => ready),
        endpointKey: "ssh://me@box/18789",
      };
      const deviceStore = createMemoryTokenStore();
      const client = { transport: gateway.transport, keepalive: false as const, random: () => 0 };
      const { node } = await start({
        deviceStore,
        ...(place === "of the node"
          ? { ...carrier, client }
          : { client: { ...client, ...carrier } }),
      });
      expect(carrier.dial).toHaveBeenCalledTimes(1);
      expect(carrier.dial.mock.calls[0]?.[0]).toEqual({ host: "127.0.0.1", port: 18_789 });
      const key = { endpoint: carrier.endpointKey, role: "node", deviceId: node.nodeId };
      await vi.waitFor(async () =>
        expect(await deviceStore.get(key)).toMatchObject({ token: "issued" }),
      );

      ready = back.promise;
      gateway.cut();
      await vi.waitFor(() => expect(carrier.carrierReady).toHaveBeenCalled());
      expect(node.state.kind).toBe("waiting");
      expect(carrier.dial).toHaveBeenCalledTimes(1);
      ready = Promise.resolve();
      back.resolve();
      await vi.waitFor(() => expect(node.state.kind).toBe("open"));
      expect(carrier.dial).toHaveBeenCalledTimes(2);
      for (const stream of streams) stream.destroy();
    },
  );
});
