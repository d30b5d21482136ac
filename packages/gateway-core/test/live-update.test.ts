import { createRawPeer, createTestIdentity } from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import { TOKEN, invokeParams, startTestGateway } from "./fixture.ts";
import { httpUpgrade } from "./http-get.ts";

const OTHER = "another-token-of-a-decent-length";
const CHANGED = { code: 4001, reason: "gateway auth changed" };

describe("a changed secret", () => {
  test("ends the connections that came in by the former one, and leaves those of device tokens", async () => {
    await using t = await startTestGateway();
    const identity = createTestIdentity();
    const withDevice = await t.peer();
    const { auth } = await withDevice.handshake({ token: TOKEN, identity });
    const { deviceToken } = auth as { deviceToken: string };
    const shared = await t.operator();
    const byDevice = await t.peer();
    await byDevice.handshake({ identity, deviceToken });

    t.gateway.update({ auth: { mode: "token", token: OTHER } });
    expect(await shared.closed).toEqual(CHANGED);
    expect(await withDevice.closed).toEqual(CHANGED);
    expect((await byDevice.request("health")).ok).toBe(true);
    const former = await (await t.peer()).connect({ token: TOKEN, identity: false });
    expect(former.error?.details).toMatchObject({ code: "AUTH_TOKEN_MISMATCH" });
    await (await t.peer()).handshake({ token: OTHER, identity: false });
  });

  test("that is the same ends nothing; another mode ends all that the former let in", async () => {
    await using t = await startTestGateway();
    const operator = await t.operator();
    t.gateway.update({ auth: { mode: "token", token: TOKEN } });
    expect((await operator.request("health")).ok).toBe(true);
    t.gateway.update({ auth: { mode: "password", password: TOKEN } });
    expect(await operator.closed).toEqual(CHANGED);

    await using open = await startTestGateway({ auth: { mode: "none" } });
    const anyone = await open.peer();
    await anyone.handshake({ identity: false });
    open.gateway.update({ auth: { mode: "token", token: TOKEN } });
    expect(await anyone.closed).toEqual(CHANGED);
  });

  test("reaches a handshake that has begun", async () => {
    await using t = await startTestGateway();
    const peer = await t.peer();
    await peer.challenge();
    t.gateway.update({ auth: { mode: "token", token: OTHER } });
    expect((await peer.connect({ token: TOKEN, identity: false })).ok).toBe(false);
  });

  test("that cannot be changes nothing", async () => {
    await using t = await startTestGateway();
    const operator = await t.operator();
    expect(() =>
      t.gateway.update({
        auth: { mode: "token", token: OTHER },
        trustedProxies: ["nonsense"],
      }),
    ).toThrow(expect.objectContaining({ code: "OPTIONS_INVALID" }));
    expect(() => t.gateway.update({ auth: { mode: "token", token: " " } })).toThrow();
    expect((await operator.request("health")).ok).toBe(true);
    await (await t.peer()).handshake({ token: TOKEN, identity: false });
  });

  test("is never none while others can reach the port", async () => {
    await using t = await startTestGateway();
    await t.gateway.listen({ port: 0, host: "0.0.0.0" });
    expect(() => t.gateway.update({ auth: { mode: "none" } })).toThrow(
      expect.objectContaining({ code: "BIND_REFUSED" }),
    );
  });
});

test("origins, names and proxies count from the next request on, each by itself", async () => {
  await using t = await startTestGateway({ allowedOrigins: ["https://a.example"] });
  const from = async (headers: Record<string, string>): Promise<number> =>
    (await httpUpgrade(t.url, { headers })).status;
  expect(await from({ Origin: "https://b.example" })).toBe(403);
  t.gateway.update({ allowedOrigins: ["https://b.example"] });
  expect(await from({ Origin: "https://b.example" })).toBe(101);
  expect(await from({ Origin: "https://a.example" })).toBe(403);

  const named = { Origin: "http://127.0.0.1:1", Host: "box.example" };
  expect(await from(named)).toBe(421);
  t.gateway.update({ allowedHosts: ["box.example"] });
  // The name is known now; the page is none of this machine's as long as it is called so.
  expect(await from(named)).toBe(403);
  expect(await from({ Origin: "https://b.example", Host: "box.example" })).toBe(101);

  expect(await from({ "X-Forwarded-For": "203.0.113.9" })).toBe(403);
  t.gateway.update({ trustedProxies: ["127.0.0.0/8"] });
  expect(await from({ "X-Forwarded-For": "203.0.113.9" })).toBe(101);
});

test("commands that are taken away are refused at once, and given back at once", async () => {
  await using t = await startTestGateway();
  const node = await t.node({ answer: () => ({ ok: true, payload: {} }) });
  const operator = await t.operator();
  const invoke = async (): Promise<boolean | undefined> =>
    (await operator.request("node.invoke", invokeParams(node.nodeId))).ok;
  expect(await invoke()).toBe(true);
  t.gateway.update({ commands: { deny: ["system.run"] } });
  expect(await invoke()).toBe(false);
  expect(await operator.call("node.describe", { nodeId: node.nodeId })).toMatchObject({
    commands: [],
  });
  t.gateway.update({ commands: {} });
  expect(await invoke()).toBe(true);
  // A node that connects later is judged by the same.
  t.gateway.update({ commands: { deny: ["system.run"] } });
  const later = await t.node();
  expect(await operator.call("node.describe", { nodeId: later.nodeId })).toMatchObject({
    commands: [],
  });
});

test("a trusted-proxy user stays while who may name users stays as it was", async () => {
  const auth = {
    mode: "trusted-proxy",
    userHeader: "X-User",
    allowLoopback: true,
    password: "p1",
  } as const;
  await using t = await startTestGateway({ auth, trustedProxies: ["127.0.0.1"] });
  const headers = { "X-Forwarded-For": "203.0.113.9", "X-User": "ada" };
  await using user = await createRawPeer(t.url, { headers });
  await user.handshake({ identity: false });
  t.gateway.update({ auth: { ...auth, password: "p2" } });
  expect((await user.request("health")).ok).toBe(true);
  t.gateway.update({ auth: { ...auth, allowUsers: ["bob"] } });
  expect(await user.closed).toEqual(CHANGED);
});

test("an address that is about to be listened on counts when the secret is to go", async () => {
  await using t = await startTestGateway();
  const open = t.gateway.listen({ port: 0, host: "0.0.0.0" }).catch((error: unknown) => error);
  t.gateway.update({ auth: { mode: "none" } });
  expect(await open).toMatchObject({ code: "BIND_REFUSED" });
  expect(t.gateway.addresses).toHaveLength(1);
});

test("a user that a proxy has named goes when that proxy is no longer trusted", async () => {
  const auth = { mode: "trusted-proxy", userHeader: "X-User", allowLoopback: true } as const;
  await using t = await startTestGateway({ auth, trustedProxies: ["127.0.0.1"] });
  const headers = { "X-Forwarded-For": "203.0.113.9", "X-User": "ada" };
  await using user = await createRawPeer(t.url, { headers });
  await user.handshake({ identity: false });
  t.gateway.update({ trustedProxies: ["127.0.0.1", "10.0.0.2"] });
  expect((await user.request("health")).ok).toBe(true);
  t.gateway.update({ trustedProxies: ["10.0.0.2"] });
  expect(await user.closed).toEqual(CHANGED);
});

test("a user who may no longer come in does not come in by a device token or key either", async () => {
  const auth = { mode: "trusted-proxy", userHeader: "X-User", allowLoopback: true } as const;
  await using t = await startTestGateway({ auth, trustedProxies: ["127.0.0.1"] });
  const identity = createTestIdentity();
  const ask = { identity, scopes: ["operator.read"] };
  const headers = { "X-Forwarded-For": "203.0.113.9", "X-User": "ada" };
  const dial = () => createRawPeer(t.url, { headers });
  await using asking = await dial();
  const { error } = await asking.connect(ask);
  const requestId = error?.details?.["requestId"];
  await t.gateway.call("device.pair.approve", { requestId });
  await using user = await dial();
  const { auth: issued } = await user.handshake(ask);
  const { deviceToken } = issued as { deviceToken: string };

  t.gateway.update({ auth: { ...auth, allowUsers: ["bob"] } });
  expect(await user.closed).toEqual(CHANGED);
  for (const credential of [{ deviceToken }, { token: deviceToken }, { keyFor: "127.0.0.1" }]) {
    await using again = await dial();
    const refused = await again.connect({ ...ask, ...credential });
    expect(refused.error?.details).toMatchObject({
      authReason: "trusted_proxy_user_not_allowed",
    });
  }
});

test("a cap of the proxy holds for a device that comes in by its own token as well", async () => {
  const auth = { mode: "trusted-proxy", userHeader: "X-User", allowLoopback: true } as const;
  await using t = await startTestGateway({ auth, trustedProxies: ["127.0.0.1"] });
  const ask = { identity: createTestIdentity(), scopes: ["operator.read", "operator.write"] };
  const dial = (more: object) =>
    createRawPeer(t.url, { headers: { "X-Forwarded-For": "203.0.113.9", ...more } });
  await using asking = await dial({ "X-User": "ada" });
  const { error } = await asking.connect(ask);
  await t.gateway.call("device.pair.approve", { requestId: error?.details?.["requestId"] });
  await using first = await dial({ "X-User": "ada" });
  const { deviceToken } = (await first.handshake(ask))["auth"] as { deviceToken: string };
  await using capped = await dial({ "X-OpenClaw-Scopes": "operator.read" });
  const hello = await capped.handshake({ ...ask, deviceToken });
  expect(hello["auth"]).toMatchObject({ scopes: ["operator.read"] });
});

test("a user of the tailnet goes when who somebody is there no longer lets in", async () => {
  const whois = () => Promise.resolve({ login: "ada@example.com" });
  await using t = await startTestGateway({ tailnet: { whois } });
  const headers = {
    "X-Forwarded-For": "100.64.0.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "box.tail1234.ts.net",
    "Tailscale-User-Login": "ada@example.com",
  };
  const ask = { identity: createTestIdentity(), scopes: ["operator.read"] };
  await using asking = await createRawPeer(t.url, { headers });
  const { error } = await asking.connect(ask);
  await t.gateway.call("device.pair.approve", { requestId: error?.details?.["requestId"] });
  await using user = await createRawPeer(t.url, { headers });
  await user.handshake(ask);
  t.gateway.update({ auth: { mode: "password", password: OTHER } });
  expect((await user.request("health")).ok).toBe(true);
  t.gateway.update({ tailnet: {} });
  expect(await user.closed).toEqual(CHANGED);
});
