import { connect } from "node:net";
import { createTestIdentity, proxyCertificate } from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import { createMemoryStore } from "../src/index.ts";
import { TOKEN, startTestGateway } from "./fixture.ts";

/** A title that clears the screen, rings, opens a link, turns the text around and starts a new line. */
const HOSTILE = "\u001b[2J\u0007\u001b]8;;http://evil.example\u001b\\Pi\u202egnp.exe\nok\u009b1m";
// oxlint-disable-next-line no-control-regex -- these are what must not arrive
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
const REMOTE = { nodes: { pairing: { autoApproveLocal: false } } };
const NODE = { role: "node", commands: ["system.run"], token: TOKEN };
const STATS = { cpuCount: 4, memoryTotalBytes: 8, memoryFreeBytes: 4 };

describe("what a peer says of itself", () => {
  test("reaches operators as plain text of a sane length, while it waits and once it is in", async () => {
    await using t = await startTestGateway(REMOTE);
    const operator = await t.operator();
    const described = {
      ...NODE,
      identity: createTestIdentity(),
      displayName: HOSTILE + "x".repeat(10_000),
      version: HOSTILE,
      deviceFamily: HOSTILE,
      instanceId: HOSTILE,
      pathEnv: `/bin:${HOSTILE}`,
      caps: ["system", HOSTILE],
      permissions: { camera: true, [HOSTILE]: true },
      mutate: (params: Record<string, unknown>) => {
        (params["client"] as Record<string, unknown>)["modelIdentifier"] = HOSTILE;
        return params;
      },
    };
    const refused = await (await t.peer()).connect(described);
    const requestId = refused.error?.details?.["requestId"];
    const waiting = await operator.call("device.pair.list");
    await operator.call("device.pair.approve", { requestId });
    await (await t.peer()).handshake(described);

    const lists = [waiting, await operator.call("device.pair.list")];
    for (const method of ["node.list", "node.pair.list", "system-presence"])
      lists.push(await operator.call(method));
    const shown: string[] = [];
    const collect = (value: unknown): void => {
      if (typeof value === "string") shown.push(value);
      else if (typeof value === "object" && value !== null) {
        shown.push(...Object.keys(value));
        Object.values(value).forEach(collect);
      }
    };
    collect(lists);
    expect(shown.filter((text) => UNPRINTABLE.test(text))).toEqual([]);
    expect(Math.max(...shown.map((text) => text.length))).toBeLessThan(1_000);
    const { nodes } = (await operator.call("node.list")) as { nodes: Record<string, unknown>[] };
    expect(nodes[0]).toMatchObject({ caps: ["system"], permissions: { camera: true } });
    expect(nodes[0]?.["displayName"]).toContain("Pi");
  });

  test("may be nothing but control characters", async () => {
    await using t = await startTestGateway();
    const node = await t.node({ displayName: "\u0007", version: "\u0007" });
    const operator = await t.operator();
    const entry = await operator.call("node.describe", { nodeId: node.nodeId });
    expect(entry).toMatchObject({ version: "unknown", connected: true });
    expect(entry).not.toHaveProperty("displayName");
  });

  test("may be named like a member of every object", async () => {
    await using t = await startTestGateway();
    const permissions = JSON.parse('{"__proto__":true,"constructor":true,"camera":false}');
    const node = await t.node({ permissions, caps: ["__proto__", "constructor"] });
    const operator = await t.operator();
    expect(await operator.call("node.describe", { nodeId: node.nodeId })).toMatchObject({
      caps: ["__proto__", "constructor"],
      approvalState: "approved",
    });
    expect(({} as Record<string, unknown>)["camera"]).toBeUndefined();
  });

  test("in a label of an operator's is held to the same", async () => {
    await using t = await startTestGateway();
    const { nodeId } = await t.node();
    const operator = await t.operator();
    await operator.call("node.rename", {
      nodeId,
      displayName: `Garage\u001b[2J${"x".repeat(999)}`,
    });
    const { displayName } = await operator.call("node.describe", { nodeId });
    expect(displayName).toMatch(/^Garage\[2Jx{200,247}$/);
    const empty = await operator.request("node.rename", { nodeId, displayName: "\u001b \u0007" });
    expect(empty.error).toMatchObject({ message: "label required" });
  });

  test("scopes that nobody knows are left out, however many there are", async () => {
    await using t = await startTestGateway();
    const scopes = ["operator.read", "operator.read", "__proto__", "root"];
    for (let n = 0; n < 2_000; n += 1) scopes.push(`made.up.${n}`);
    const identity = createTestIdentity();
    const hello = await (await t.peer()).handshake({ token: TOKEN, identity, scopes });
    expect(hello["auth"]).toMatchObject({ scopes: ["operator.read"] });
    const operator = await t.operator();
    const { paired } = await operator.call("device.pair.list");
    expect(paired).toMatchObject([{ deviceId: identity.deviceId, scopes: ["operator.read"] }]);
  });
});

describe("a role named like a member of every object", () => {
  test.each(["constructor", "__proto__", "toString"])("%s has no token", async (role) => {
    await using t = await startTestGateway();
    const { nodeId: deviceId } = await t.node();
    const operator = await t.operator();
    for (const method of ["device.token.rotate", "device.token.revoke"]) {
      const answer = await operator.request(method, { deviceId, role });
      expect(answer.error).toMatchObject({ code: "INVALID_REQUEST" });
    }
    const { paired } = await operator.call("device.pair.list");
    expect(paired).toMatchObject([{ roles: ["node"], scopes: [] }]);
  });
});

describe("host stats", () => {
  test("are kept as far as they are known, and not more often than operators can read", async () => {
    await using t = await startTestGateway();
    const node = await t.node();
    const operator = await t.operator();
    const report = (more: object): Promise<Record<string, unknown>> =>
      node.peer.call("node.event", { event: "node.host.stats", payload: { ...STATS, ...more } });
    const flood = { loadAverage: Array.from({ length: 50_000 }, () => 1), junk: "x".repeat(1e6) };
    expect(await report(flood)).toMatchObject({ handled: true });
    expect(await report({ loadAverage: [2, 2, 2] })).toMatchObject({ reason: "throttled" });
    const { hostStats } = await operator.call("node.describe", { nodeId: node.nodeId });
    expect(hostStats).toEqual({
      ...STATS,
      loadAverage: [1, 1, 1],
      updatedAtMs: expect.any(Number),
    });
  });
});

describe("a surface that waits for approval", () => {
  test("is withdrawn when the node comes back without it", async () => {
    await using t = await startTestGateway();
    const identity = createTestIdentity();
    await t.node({ identity });
    await t.node({ identity, commands: ["system.run", "system.which"] });
    const operator = await t.operator();
    expect((await operator.call("node.pair.list"))["pending"]).toHaveLength(1);
    await t.node({ identity });
    expect((await operator.call("node.pair.list"))["pending"]).toEqual([]);
    expect(await operator.call("node.describe", { nodeId: identity.deviceId })).toMatchObject({
      approvalState: "approved",
    });
  });
});

describe("a store that cannot write", () => {
  test("costs the peer that wanted to pair its attempt, not the Gateway its life", async () => {
    const store = createMemoryStore();
    await using t = await startTestGateway({ store });
    const operator = await t.operator();
    const write = store.write;
    store.write = () => {
      throw new Error("database or disk is full");
    };
    const peer = await t.peer();
    const refused = await peer.connect({ token: TOKEN });
    expect(refused.error).toMatchObject({ code: "UNAVAILABLE", retryable: true });
    expect(JSON.stringify(refused)).not.toContain("disk");
    expect(await peer.closed).toMatchObject({ code: 1013 });
    store.write = write;
    expect(await operator.call("health")).toMatchObject({ ok: true });
    await (await t.peer()).handshake({ token: TOKEN });
  });
});

test("a frame that is too large is the last that is read, whatever follows it", async () => {
  await using t = await startTestGateway();
  const peer = await t.peer();
  await peer.challenge();
  peer.send({ type: "req", id: "1", method: "x", params: "x".repeat(70_000) });
  await peer.connect({ token: TOKEN }).catch(() => {});
  expect(await peer.closed).toMatchObject({ code: 1009 });
  const operator = await t.operator();
  expect(await operator.call("status")).toMatchObject({ connections: 1, devices: { paired: 0 } });
});

test("pain 18: a connection that never says a word does not hold up the end of the Gateway", async () => {
  await using t = await startTestGateway();
  const silent = connect(t.address.port, t.address.host);
  const half = connect(t.address.port, t.address.host);
  await Promise.all([silent, half].map((socket) => new Promise((r) => socket.once("connect", r))));
  half.write("GET /healthz HTTP/1.1\r\n");
  const ended = [silent, half].map((socket) => {
    socket.on("error", () => {});
    return new Promise((resolve) => socket.once("close", resolve));
  });
  // Answered after the Gateway has taken both of them.
  await t.operator();
  const startedAt = performance.now();
  await t.gateway.close();
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  await Promise.all(ended);
});

describe("a socket that never becomes a WebSocket", () => {
  test.each([
    ["says nothing", ""],
    ["never ends its headers", "GET / HTTP/1.1\r\nHost: x\r\nX-A: "],
    ["never ends its TLS handshake", "\u0016\u0003\u0001\u0002\u0000\u0001"],
  ])("is dropped when it %s", async (what, bytes) => {
    await using t = await startTestGateway({ limits: { handshakeTimeoutMs: 200 } });
    const tls = { cert: proxyCertificate.cert, key: proxyCertificate.key };
    const { port } = what.includes("TLS") ? await t.gateway.listen({ port: 0, tls }) : t.address;
    const socket = connect(port, "127.0.0.1");
    socket.write(Buffer.from(bytes, "latin1"));
    socket.resume();
    socket.on("error", () => {});
    const closed = new Promise((resolve) => socket.once("close", () => resolve("closed")));
    expect(await closed).toBe("closed");
  });
});
