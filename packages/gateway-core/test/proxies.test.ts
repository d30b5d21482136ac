import {
  type ProxyServer,
  type RawPeer,
  type RawPeerOptions,
  createRawPeer,
  createTestIdentity,
  hasHaproxy,
  hasNginx,
  proxyCertificate,
  startHaproxy,
  startNginx,
} from "@openclaw/testkit";
import { describe, expect, test } from "vitest";
import type { GatewayOptions, Logger } from "../src/index.ts";
import { TOKEN, type TestGateway, startTestGateway } from "./fixture.ts";
import { pageBlock } from "./reverse-proxy-page.ts";

/** The proxies connect from 127.0.0.1; their clients are told apart by the rest of 127.0.0.0/8. */
const CLIENT = "127.0.0.9";
const BEHIND = { trustedProxies: ["127.0.0.1"], allowedOrigins: ["https://claw.example"] };
const { cert, key } = proxyCertificate;

type Edit = (block: string) => string;
type StartProxy = (upstream: number, edit?: Edit) => Promise<ProxyServer>;

const nginx: StartProxy = (upstream, edit = (block) => block) =>
  startNginx({
    files: { "claw.example.pem": cert, "claw.example.key": key, "openclaw.htpasswd": USERS },
    config: (port, directory) =>
      edit(pageBlock("nginx"))
        .replace("listen 443", `listen 127.0.0.1:${port}`)
        .replace("127.0.0.1:18789", `127.0.0.1:${upstream}`)
        .replaceAll(/\/etc\/(?:ssl|nginx)\//g, `${directory}/`),
  });

const haproxy: StartProxy = (upstream, edit = (block) => block) =>
  startHaproxy({
    files: { "claw.example.pem": cert + key },
    config: (port, directory) =>
      edit(pageBlock("haproxy"))
        .replace("bind :443", `bind 127.0.0.1:${port}`)
        .replace("127.0.0.1:18789", `127.0.0.1:${upstream}`)
        .replace("/etc/haproxy/", `${directory}/`),
  });

/** ada, with the password `lovelace`, as `openssl passwd -apr1` writes it. */
const USERS = "ada@claw.example:$apr1$openclaw$ejWTc3q5d9errM49E1HcD.\n";
const BASIC = `Basic ${Buffer.from("ada@claw.example:lovelace").toString("base64")}`;

const open = (proxy: ProxyServer, options: RawPeerOptions = {}): Promise<RawPeer> =>
  createRawPeer(`wss://127.0.0.1:${proxy.port}`, {
    ca: cert,
    localAddress: CLIENT,
    deadlineMs: 20_000,
    ...options,
  });

/** The address of the device that asks to be paired, as an operator sees it. */
async function askingFrom({ gateway }: TestGateway): Promise<unknown> {
  const { pending } = (await gateway.call("device.pair.list")) as {
    pending: { remoteIp: string }[];
  };
  return pending.map(({ remoteIp }) => remoteIp);
}

function collectingLogger(): { logger: Logger; warnings: string[] } {
  const warnings: string[] = [];
  const silent = (): void => {};
  const logger: Logger = {
    debug: silent,
    info: silent,
    warn: (_fields, message) => void warnings.push(message),
    error: silent,
    child: () => logger,
  };
  return { logger, warnings };
}

describe.each([
  { name: "nginx", start: nginx, has: hasNginx },
  { name: "HAProxy", start: haproxy, has: hasHaproxy },
])("behind $name as docs/reverse-proxy.md configures it", ({ name, start, has }) => {
  test.skipIf(!has)(`${name} passes the upgrade, and everything after it`, async () => {
    await using t = await startTestGateway(BEHIND);
    await using proxy = await start(t.address.port);
    await using peer = await open(proxy);
    await peer.handshake({ token: TOKEN, identity: false });
    expect((await peer.request("health")).ok).toBe(true);
    expect((await peer.request("node.list", { junk: "y".repeat(200_000) })).ok).toBe(false);
  });

  test.skipIf(!has)(
    "the client has its own address, whatever it claims, and is not local",
    async () => {
      await using t = await startTestGateway(BEHIND);
      await using proxy = await start(t.address.port);
      const lies = {
        "X-Forwarded-For": "127.0.0.1, 203.0.113.9",
        Forwarded: "for=127.0.0.1",
        "X-Real-IP": "127.0.0.1",
      };
      for (const headers of [{}, lies]) {
        await using peer = await open(proxy, { headers });
        const answer = await peer.connect({ token: TOKEN, identity: createTestIdentity() });
        expect(answer.error?.details).toMatchObject({ code: "PAIRING_REQUIRED" });
      }
      expect(await askingFrom(t)).toEqual([CLIENT, CLIENT]);
    },
  );

  test.skipIf(!has)("the secret alone, without a device, brings no scopes from there", async () => {
    await using t = await startTestGateway(BEHIND);
    await using proxy = await start(t.address.port);
    await using peer = await open(proxy);
    const hello = await peer.handshake({ token: TOKEN, identity: false });
    expect(hello["auth"]).toMatchObject({ scopes: [] });
  });

  test.skipIf(!has)("a proxy that is not listed is refused, and the log says so once", async () => {
    const { logger, warnings } = collectingLogger();
    await using t = await startTestGateway({ ...BEHIND, trustedProxies: ["10.0.0.1"], logger });
    await using proxy = await start(t.address.port);
    for (let n = 0; n < 3; n += 1)
      await expect(open(proxy)).rejects.toMatchObject({ statusCode: 403 });
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain("gateway.trustedProxies");
  });

  test.skipIf(!has)(
    "pages that are listed may connect, others are refused at the upgrade",
    async () => {
      await using t = await startTestGateway(BEHIND);
      await using proxy = await start(t.address.port);
      await using peer = await open(proxy, { headers: { Origin: "https://claw.example" } });
      expect(await peer.challenge()).toMatchObject({ nonce: expect.any(String) });
      await expect(
        open(proxy, { headers: { Origin: "https://evil.example" } }),
      ).rejects.toMatchObject({ statusCode: 403 });
      await expect(
        open(proxy, { headers: { Origin: "http://127.0.0.1:18789" } }),
      ).rejects.toMatchObject({ statusCode: 403 });
    },
  );
});

const hasBoth = hasNginx && hasHaproxy;

test.skipIf(!hasBoth)(
  "through HAProxy and nginx in a row, the client keeps its address",
  async () => {
    await using t = await startTestGateway({ trustedProxies: ["127.0.0.1", "127.0.0.2"] });
    await using inner = await nginx(t.address.port, (block) => block.replace("443 ssl", "443"));
    await using outer = await haproxy(inner.port, (block) =>
      block.replace("127.0.0.1:18789", "127.0.0.1:18789 source 127.0.0.2"),
    );
    await using peer = await open(outer, { headers: { "X-Forwarded-For": "127.0.0.1" } });
    await peer.connect({ token: TOKEN, identity: createTestIdentity() });
    expect(await askingFrom(t)).toEqual([CLIENT]);

    // Were the outer one not listed, it would be the client.
    t.gateway.update({ trustedProxies: ["127.0.0.1"] });
    await using again = await open(outer);
    await again.connect({ token: TOKEN, identity: createTestIdentity() });
    expect(await askingFrom(t)).toEqual([CLIENT, "127.0.0.2"]);
  },
);

test.skipIf(!hasNginx)(
  "a proxy that drops the upgrade is answered 426, which says so",
  async () => {
    await using t = await startTestGateway(BEHIND);
    await using proxy = await nginx(t.address.port, (block) =>
      block.replaceAll(/^.*(?:Upgrade|Connection) \$.*$/gm, ""),
    );
    await expect(open(proxy)).rejects.toMatchObject({ statusCode: 426 });
  },
);

describe("trusted-proxy authentication behind nginx", () => {
  const withSignIn: Edit = (block) =>
    block.replace(/^\s*proxy_pass/m, `${pageBlock("nginx sign-in")}        proxy_pass`);
  const auth: GatewayOptions["auth"] = {
    mode: "trusted-proxy",
    userHeader: "X-Forwarded-User",
    allowUsers: ["ada@claw.example"],
    allowLoopback: true,
    password: "password-of-this-machine",
  };

  test.skipIf(!hasNginx)(
    "lets in whom nginx names, and pairs the device as any other",
    async () => {
      await using t = await startTestGateway({ ...BEHIND, auth });
      await using proxy = await nginx(t.address.port, withSignIn);
      await expect(open(proxy)).rejects.toMatchObject({ statusCode: 401 });

      const headers = { Authorization: BASIC, "X-Forwarded-User": "root@claw.example" };
      const identity = createTestIdentity();
      await using peer = await open(proxy, { headers });
      const refused = await peer.connect({ identity, clientMode: "ui", scopes: ["operator.read"] });
      expect(refused.error?.details).toMatchObject({ code: "PAIRING_REQUIRED" });
      const requestId = refused.error?.details?.["requestId"];
      await t.gateway.call("device.pair.approve", { requestId });
      await using paired = await open(proxy, { headers });
      const hello = await paired.handshake({
        identity,
        clientMode: "ui",
        scopes: ["operator.read"],
      });
      expect(hello["auth"]).toMatchObject({ scopes: ["operator.read"] });
      const presence = await t.gateway.call("system-presence");
      expect(JSON.stringify(presence)).toContain('"email":"ada@claw.example"');
      expect(JSON.stringify(presence)).not.toContain("root@claw.example");
    },
  );

  test.skipIf(!hasNginx)("caps what a user may do with x-openclaw-scopes", async () => {
    await using t = await startTestGateway({ ...BEHIND, auth });
    await using proxy = await nginx(t.address.port, (block) =>
      withSignIn(block).replace(
        /^\s*proxy_pass/m,
        "proxy_set_header x-openclaw-scopes operator.read;\nproxy_pass",
      ),
    );
    const headers = { Authorization: BASIC, Origin: "https://claw.example" };
    await using page = await open(proxy, { headers });
    const hello = await page.handshake({
      identity: false,
      clientId: "openclaw-control-ui",
      clientMode: "ui",
      scopes: ["operator.admin"],
    });
    expect(hello["auth"]).toMatchObject({ scopes: ["operator.read"] });
  });

  test.skipIf(!hasNginx)("refuses what comes past it or names nobody", async () => {
    await using t = await startTestGateway({ ...BEHIND, auth });
    await using proxy = await nginx(t.address.port);
    await using nobody = await open(proxy);
    const unnamed = await nobody.connect({ identity: false });
    expect(unnamed.error?.details).toMatchObject({
      code: "AUTH_IDENTITY_HEADER_REQUIRED",
      authReason: "trusted_proxy_user_missing",
    });
    // The header of a client is that client's, unless the proxy takes it away.
    await expect(
      createRawPeer(t.url, { headers: { "X-Forwarded-User": "ada@claw.example" } }),
    ).rejects.toMatchObject({ statusCode: 403 });

    const local = await (await t.peer()).connect({ identity: false });
    expect(local.error?.details).toMatchObject({ code: "AUTH_PASSWORD_MISSING" });
    const hello = await (
      await t.peer()
    ).handshake({ identity: false, password: "password-of-this-machine" });
    expect(hello["auth"]).toMatchObject({ role: "operator" });
    await using outside = await open(proxy);
    const password = await outside.connect({
      identity: false,
      password: "password-of-this-machine",
    });
    expect(password.ok).toBe(false);
  });

  test.skipIf(!hasNginx)("a proxy on this machine has to be allowed by name", async () => {
    await using t = await startTestGateway({ ...BEHIND, auth: { ...auth, allowLoopback: false } });
    await using proxy = await nginx(t.address.port, withSignIn);
    await using peer = await open(proxy, { headers: { Authorization: BASIC } });
    const answer = await peer.connect({ identity: false });
    expect(answer.error?.details).toMatchObject({
      code: "AUTH_UNAUTHORIZED",
      authReason: "trusted_proxy_loopback_source",
    });
  });
});
