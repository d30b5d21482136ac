import { type RawPeer, createRawPeer, createTestIdentity } from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import type { TailnetUser } from "../src/index.ts";
import { TOKEN, type TestGateway, startTestGateway } from "./fixture.ts";

const ADA = "100.101.102.103";
const TAGGED = "100.101.102.200";
/** What Tailscale Serve writes for a request of Ada's laptop. */
const SERVED = {
  "X-Forwarded-For": ADA,
  "X-Forwarded-Proto": "https",
  "X-Forwarded-Host": "box.tail1234.ts.net",
  "Tailscale-User-Login": "ada@example.com",
  "Tailscale-User-Name": "Ada",
  "Tailscale-Headers-Info": "https://tailscale.com/s/serve-headers",
};
const USERS: Record<string, TailnetUser> = {
  [ADA]: { login: "Ada@Example.com", name: "Ada Lovelace" },
  [TAGGED]: { login: "tagged-devices", tags: ["tag:server"] },
};

function withWhois(): { options: object; whois: ReturnType<typeof vi.fn> } {
  const whois = vi.fn(async (address: string) => USERS[address]);
  return { whois, options: { tailnet: { whois } } };
}

async function through(
  t: TestGateway,
  headers: Record<string, string | undefined> = {},
): Promise<RawPeer> {
  const sent = Object.entries({ ...SERVED, ...headers }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return createRawPeer(t.url, { headers: Object.fromEntries(sent) });
}

/** The first refusal is that the device is unknown, which comes after authentication. */
async function reason(peer: RawPeer, options: object = {}): Promise<unknown> {
  const answer = await peer.connect({ identity: createTestIdentity(), ...options });
  await peer[Symbol.asyncDispose]();
  const { details } = answer.error ?? {};
  return details?.["authReason"] ?? details?.["code"] ?? answer.ok;
}

describe("an operator that came through Tailscale Serve", () => {
  test("is let in by who it is, once its device is paired, and shows as that person", async () => {
    const { options } = withWhois();
    await using t = await startTestGateway(options);
    const identity = createTestIdentity();
    const scopes = ["operator.read"];
    await using asking = await through(t);
    const refused = await asking.connect({ identity, scopes, clientMode: "ui" });
    expect(refused.error?.details).toMatchObject({ code: "PAIRING_REQUIRED" });
    await t.gateway.call("device.pair.approve", {
      requestId: refused.error?.details?.["requestId"],
    });
    await using peer = await through(t);
    const hello = await peer.handshake({ identity, scopes, clientMode: "ui" });
    expect(hello["auth"]).toMatchObject({ scopes });
    const presence = JSON.stringify(await t.gateway.call("system-presence"));
    expect(presence).toContain('"email":"Ada@Example.com","name":"Ada Lovelace"');
    expect(presence).toContain(`"ip":"${ADA}"`);
  });

  test.each([
    [
      "the header names another login",
      { "Tailscale-User-Login": "bob@example.com" },
      "user_mismatch",
    ],
    ["the header is missing", { "Tailscale-User-Login": undefined }, "user_missing"],
    ["nobody has the address", { "X-Forwarded-For": "100.99.99.99" }, "whois_failed"],
    [
      "the machine is tagged",
      { "X-Forwarded-For": TAGGED, "Tailscale-User-Login": "tagged-devices" },
      "user_missing",
    ],
    ["Serve speaks plain HTTP", { "X-Forwarded-Proto": undefined }, "proxy_missing"],
    ["no host is named", { "X-Forwarded-Host": undefined }, "proxy_missing"],
  ])("is not, when %s", async (_when, headers, expected) => {
    const { options } = withWhois();
    await using t = await startTestGateway(options);
    expect(await reason(await through(t, headers))).toBe(`tailscale_${expected}`);
  });

  test("is not, when Tailscale cannot be asked", async () => {
    const whois = async (): Promise<never> => {
      throw new Error("tailscaled is not running");
    };
    await using t = await startTestGateway({ tailnet: { whois } });
    expect(await reason(await through(t))).toBe("tailscale_whois_failed");
  });

  test("is judged by its secret when it sends one, and nobody is asked", async () => {
    const { options, whois } = withWhois();
    await using t = await startTestGateway(options);
    expect(await reason(await through(t), { token: "a-wrong-one" })).toBe("token_mismatch");
    expect(await reason(await through(t), { deviceToken: "a-wrong-one" })).toBe(
      "device_token_mismatch",
    );
    expect(await reason(await through(t), { token: TOKEN })).toBe("PAIRING_REQUIRED");
    expect(whois).not.toHaveBeenCalled();
  });

  test("needs a device key: without one nobody could take the right away again", async () => {
    const { options } = withWhois();
    await using t = await startTestGateway(options);
    expect(await reason(await through(t), { identity: false })).toBe("DEVICE_IDENTITY_REQUIRED");
    expect(
      await reason(await through(t), { identity: false, minProtocol: 3, maxProtocol: 3 }),
    ).toBe("DEVICE_IDENTITY_REQUIRED");
  });
});

test("nobody comes in by an identity over Funnel, as a node, or through another proxy", async () => {
  const { options, whois } = withWhois();
  await using t = await startTestGateway(options);
  const funnel = { "Tailscale-Funnel-Request": "?1" };
  expect(await reason(await through(t, funnel))).toBe("token_missing");
  expect(await reason(await through(t), { role: "node" })).toBe("token_missing");
  expect(whois).not.toHaveBeenCalled();

  // Tailscale names one client; whoever names two is another proxy.
  await expect(through(t, { "X-Forwarded-For": `203.0.113.9, ${ADA}` })).rejects.toMatchObject({
    statusCode: 400,
  });
});

describe("where identities do not count", () => {
  test("Serve still reaches the Gateway, with a secret", async () => {
    await using t = await startTestGateway({ tailnet: {} });
    expect(await reason(await through(t))).toBe("token_missing");
    await using peer = await through(t);
    const hello = await peer.handshake({ token: TOKEN, identity: false });
    expect(hello["auth"]).toMatchObject({ scopes: [] });
  });

  test("and where Tailscale is not in front at all, its headers are refused", async () => {
    await using t = await startTestGateway();
    await expect(through(t)).rejects.toMatchObject({ statusCode: 403 });
  });
});

test("a Gateway without a secret takes nobody who comes through Serve, Funnel or a proxy", async () => {
  await using t = await startTestGateway({
    auth: { mode: "none" },
    tailnet: {},
    trustedProxies: ["127.0.0.1"],
  });
  for (const headers of [{}, { "Tailscale-Funnel-Request": "?1" }])
    expect(await reason(await through(t, headers))).toBe("auth_required");
  await using proxied = await createRawPeer(t.url, { headers: { "X-Forwarded-For": ADA } });
  expect((await proxied.connect({ identity: false })).error?.details).toMatchObject({
    code: "AUTH_REQUIRED",
  });
  await (await t.peer()).handshake({ identity: false });
});

test("a page that Serve has served may connect by its own name, and no other", async () => {
  const { options } = withWhois();
  await using t = await startTestGateway({ ...options, allowedHosts: ["box.tail1234.ts.net"] });
  await using page = await through(t, {
    Host: "box.tail1234.ts.net",
    Origin: "https://box.tail1234.ts.net",
  });
  expect(await page.challenge()).toMatchObject({ nonce: expect.any(String) });
  await expect(through(t, { Origin: "https://evil.example" })).rejects.toMatchObject({
    statusCode: 403,
  });
});

test("a peer that leaves while Tailscale is asked leaves nothing behind", async () => {
  let answer: (user: TailnetUser) => void = () => {};
  const asked = Promise.withResolvers<void>();
  const whois = (): Promise<TailnetUser> => {
    asked.resolve();
    return new Promise((resolve) => (answer = resolve));
  };
  await using t = await startTestGateway({ tailnet: { whois } });
  const peer = await through(t);
  const answered = peer.connect({ identity: createTestIdentity() }).catch(() => "gone");
  await asked.promise;
  peer.terminate();
  expect(await answered).toBe("gone");
  answer({ login: "ada@example.com" });
  expect(await t.gateway.call("status")).toMatchObject({ connections: 0 });
});

test("frames that follow connect wait for its answer, and sixteen of them are too many", async () => {
  const held: (() => void)[] = [];
  const whois = (): Promise<TailnetUser> =>
    new Promise((resolve) => held.push(() => resolve({ login: "ada@example.com" })));
  await using t = await startTestGateway({ tailnet: { whois } });
  const identity = createTestIdentity();
  const asking = await through(t);
  const refused = asking.connect({ identity, scopes: ["operator.read"] });
  await expect.poll(() => held.length).toBe(1);
  held[0]?.();
  const { details } = (await refused).error ?? {};
  await t.gateway.call("device.pair.approve", { requestId: details?.["requestId"] });

  const eager = await through(t);
  const hello = eager.connect({ identity, scopes: ["operator.read"] });
  await expect.poll(() => held.length).toBe(2);
  const health = eager.request("health");
  held[1]?.();
  expect((await hello).ok).toBe(true);
  expect((await health).ok).toBe(true);
  await eager[Symbol.asyncDispose]();

  const flooding = await through(t);
  void flooding.connect({ identity }).catch(() => {});
  await expect.poll(() => held.length).toBe(3);
  for (let n = 0; n < 16; n += 1) flooding.send({ type: "req", id: `${n}`, method: "health" });
  expect(await flooding.closed).toEqual({
    code: 1008,
    reason: "too many pending handshake frames",
  });
  held[2]?.();
});
