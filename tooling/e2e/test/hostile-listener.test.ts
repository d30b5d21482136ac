import { randomBytes, randomInt } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import {
  connectGateway,
  createMemoryTokenStore,
  loadOrCreateDeviceIdentity,
} from "@openclaw/client";
import {
  freePort,
  type HostileListener,
  type HostileManner,
  proxyCertificate,
  startHostileListener,
} from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import { createProgramHome, type ProgramHome } from "../src/program/program-home.ts";

// Somebody listens where a command, a node or a program looks for its Gateway, and asks for everything.
// What was not given for that place must not arrive there, not even in part.

const UP_MS = 30_000;
// Processes are slow to start on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });
const secret = (name: string): string => `${name}-${randomBytes(12).toString("hex")}`;

/** What this home knows, and owes to nobody but its own Gateways. */
const KNOWN = {
  authToken: secret("auth-token"),
  authPassword: secret("auth-password"),
  remoteToken: secret("remote-token"),
  remotePassword: secret("remote-password"),
  hooksToken: secret("hooks-token"),
  botToken: secret("bot-token"),
  operatorDeviceToken: secret("operator-device-token"),
  nodeDeviceToken: secret("node-device-token"),
  edge: secret("edge"),
};
const GIVEN = secret("given");

/** For what takes a process each time; the library meets all of them. */
const SOME_MANNERS: readonly HostileManner[] = [
  "asks for the device token",
  "asks for another device token",
  "welcomes",
  "redirects",
];

const MANNERS: readonly HostileManner[] = [
  "asks for the device token",
  "asks for the password",
  "asks for the token",
  "asks for another device token",
  "asks for an older protocol",
  "welcomes",
  "asks by HTTP",
  "redirects",
];

/** The home of somebody who is paired with a Gateway elsewhere, and runs one here as well. */
async function victim(gateway: object = {}): Promise<ProgramHome & { privateKey: string }> {
  const home = await createProgramHome();
  await home.writeConfig({
    gateway: {
      mode: "local",
      auth: { mode: "token", token: KNOWN.authToken, password: KNOWN.authPassword },
      ...gateway,
    },
    hooks: { enabled: false, token: KNOWN.hooksToken },
    channels: { telegram: { enabled: false, botToken: KNOWN.botToken } },
  });
  const identityPath = home.file(".openclaw", "identity", "device.json");
  await mkdir(home.file(".openclaw", "identity"), { mode: 0o700 });
  const { deviceId } = await loadOrCreateDeviceIdentity(identityPath);
  const record = (token: string): object => ({ deviceId, token, scopes: [], updatedAtMs: 1 });
  const tokens = {
    "127.0.0.1:18789": {
      operator: record(KNOWN.operatorDeviceToken),
      node: record(KNOWN.nodeDeviceToken),
    },
    "gw.example:443": { operator: record(KNOWN.operatorDeviceToken) },
  };
  await writeFile(
    home.file(".openclaw", "identity", "device-auth.json"),
    JSON.stringify({ version: 1, tokens }),
    { mode: 0o600 },
  );
  const { privateKeyPem } = JSON.parse(await readFile(identityPath, "utf8")) as {
    privateKeyPem: string;
  };
  const [, privateKey = ""] = privateKeyPem.split("\n");
  expect(privateKey.length).toBeGreaterThan(20);
  return Object.assign(home, { privateKey });
}

/** What must not arrive, in every spelling that a header, a URL or a frame could have it in. */
function spellings(text: string): string[] {
  const bytes = Buffer.from(text);
  const unpadded = bytes.toString("base64").replace(/=+$/u, "");
  return [
    text,
    unpadded,
    bytes.toString("base64url"),
    bytes.toString("hex"),
    encodeURIComponent(text),
  ];
}

function expectNothingOf(
  listeners: readonly HostileListener[],
  { owed, privateKey }: { owed: readonly string[]; privateKey: string },
): void {
  const heard = listeners.map((listener) => listener.heard()).join("\n");
  const names = Object.entries({ ...KNOWN, privateKey, given: GIVEN })
    .filter(([, value]) => !owed.includes(value))
    .filter(([, value]) => spellings(value).some((spelling) => heard.includes(spelling)))
    .map(([name]) => name);
  expect(names).toEqual([]);
  for (const value of owed) expect(heard).toContain(value);
}

/** Lets a connection be made or refused, and ends it. */
async function met(connecting: ReturnType<typeof connectGateway>): Promise<void> {
  const client = await connecting.catch(() => undefined);
  await client?.close();
}

interface Way {
  readonly name: string;
  readonly config?: (url: string) => object;
  readonly args: (url: string) => string[];
  readonly env?: (url: string) => Record<string, string>;
  /** What was given for this very place. */
  readonly owed: readonly string[];
}

const ways: readonly Way[] = [
  {
    name: "--url with a token",
    args: (url) => ["health", "--url", url, "--token", GIVEN],
    owed: [GIVEN],
  },
  {
    name: "--url with a password",
    args: (url) => ["health", "--url", url, "--password", GIVEN],
    owed: [GIVEN],
  },
  {
    name: "OPENCLAW_GATEWAY_URL",
    args: () => ["gateway", "call", "health"],
    env: (url) => ({ OPENCLAW_GATEWAY_URL: url }),
    owed: [],
  },
  {
    name: "OPENCLAW_GATEWAY_URL with OPENCLAW_GATEWAY_TOKEN",
    args: () => ["devices", "list"],
    env: (url) => ({ OPENCLAW_GATEWAY_URL: url, OPENCLAW_GATEWAY_TOKEN: GIVEN }),
    owed: [GIVEN],
  },
  {
    name: "a gateway.remote.url that was changed",
    config: (url) => ({ mode: "remote", remote: { url, edgeAuth: { "x-edge": KNOWN.edge } } }),
    args: () => ["status", "--deep"],
    owed: [],
  },
  {
    name: "a gateway.remote.url with a gateway.remote.token",
    config: (url) => ({ mode: "remote", remote: { url, token: KNOWN.remoteToken } }),
    args: () => ["health"],
    owed: [KNOWN.remoteToken],
  },
];

const probed = (manner: HostileManner): boolean =>
  manner !== "asks by HTTP" && manner !== "redirects";

describe.concurrent("a command", () => {
  test.each(ways)(
    "sends what was given for $name, and no more",
    async (way) => {
      for (const manner of SOME_MANNERS) {
        // oxlint-disable no-await-in-loop -- a few processes at a time are enough for a small machine
        await using elsewhere = await startHostileListener({ manner: "welcomes" });
        await using listener = await startHostileListener({
          manner,
          status: 307,
          redirectTo: elsewhere.url.replace("ws:", "http:"),
        });
        await using home = await victim(way.config?.(listener.url));
        const env = way.env?.(listener.url) ?? {};
        await home.run([...way.args(listener.url), "--timeout", "3000"], { env });

        expect(`${manner}: ${listener.upgrades > 0}`).toBe(`${manner}: true`);
        expect(elsewhere.connections).toBe(0);
        const owed = probed(manner) ? way.owed : [];
        expectNothingOf([listener], { owed, privateKey: home.privateKey });
        // oxlint-enable no-await-in-loop
      }
    },
    120_000,
  );

  test("does not even connect to --url without a secret of its own", async () => {
    await using listener = await startHostileListener({ manner: "welcomes" });
    await using home = await victim();
    const env = { OPENCLAW_GATEWAY_TOKEN: GIVEN };
    for (const command of [
      ["health"],
      ["devices", "list"],
      ["logs"],
      ["gateway", "call", "status"],
    ]) {
      // oxlint-disable-next-line no-await-in-loop
      const { code } = await home.run([...command, "--url", listener.url], { env });
      expect(code).toBe(1);
    }
    expect(listener.connections).toBe(0);
  });
});

describe.concurrent("a redirect", () => {
  test.each([301, 302, 303, 307, 308])("with %s leads nowhere", async (status) => {
    await using elsewhere = await startHostileListener({ manner: "welcomes" });
    await using listener = await startHostileListener({
      manner: "redirects",
      status,
      redirectTo: elsewhere.url.replace("ws:", "http:"),
    });
    const connecting = connectGateway({ url: listener.url, token: GIVEN, reconnect: false });
    await expect(connecting).rejects.toThrow(String(status));
    expect(elsewhere.connections).toBe(0);
    expect(listener.heard()).not.toContain(GIVEN);
  });
});

describe.concurrent("over TLS", () => {
  const tls = proxyCertificate;
  const other = "AB".repeat(32);

  test.each([
    ["the certificate is nobody's", {}, []],
    ["the certificate is not the one that is pinned", {}, ["--tls-fingerprint", other]],
  ])("a command says nothing when %s", async (_, gateway, flags) => {
    await using listener = await startHostileListener({ manner: "welcomes", tls });
    await using home = await victim(gateway);
    const args = ["health", "--url", listener.url, "--token", GIVEN, ...flags];
    expect((await home.run(args)).code).toBe(1);
    expect(listener.connections).toBeGreaterThan(0);
    expect(listener.heard()).toBe("");
  });

  test("a name that leads to another machine than before is found out by the pin", async () => {
    await using listener = await startHostileListener({ manner: "welcomes", tls });
    const remote = { token: KNOWN.remoteToken, tlsFingerprint: other };
    const url = listener.url.replace("127.0.0.1", "localhost");
    await using home = await victim({ mode: "remote", remote: { ...remote, url } });
    const health = await home.run(["health", "--json"]);
    expect(health.code).toBe(1);
    expect(JSON.parse(health.stdout)).toMatchObject({ ok: false });
    expect(listener.heard()).toBe("");
  });

  test.each([{ listens: "with a certificate of its own" }, { listens: "without TLS" }])(
    "who sits on the port of this machine's Gateway, $listens, hears no secret",
    async ({ listens }) => {
      const port = await freePort();
      await using home = await victim({ port, tls: { enabled: true } });
      // Made as the Gateway makes it when it starts.
      const gateway = home.start(["gateway", "run"]);
      await gateway.line("Auth mode", { deadlineMs: UP_MS });
      expect(await home.run(["health"])).toMatchObject({ code: 0 });
      await gateway.stop();

      const secured = listens === "without TLS" ? {} : { tls };
      await using listener = await startHostileListener({ manner: "welcomes", port, ...secured });
      expect((await home.run(["health"])).code).toBe(1);
      expect((await home.run(["devices", "list"])).code).toBe(1);
      expect(listener.connections).toBeGreaterThan(0);
      expectNothingOf([listener], { owed: [], privateKey: home.privateKey });
    },
  );

  test("a node that pins its Gateway says nothing to another", async () => {
    await using listener = await startHostileListener({ manner: "welcomes", tls });
    await using home = await victim();
    const node = home.start(["node", "run", "--url", listener.url, "--tls-fingerprint", other], {
      env: { OPENCLAW_GATEWAY_TOKEN: GIVEN },
    });
    expect((await node.exited).code).not.toBe(0);
    expect(listener.connections).toBeGreaterThan(0);
    expect(listener.heard()).toBe("");
  });
});

describe.concurrent("a node", () => {
  test.each(MANNERS)(
    "keeps its tokens and this machine's secrets from one who %s",
    async (manner) => {
      await using listener = await startHostileListener({
        manner,
        redirectTo: "http://127.0.0.1:1/",
      });
      await using home = await victim();
      const node = home.start(["node", "run", "--url", listener.url]);
      const heardEnough = probed(manner) ? () => listener.frames.length : () => listener.upgrades;
      await vi.waitFor(() => expect(heardEnough()).toBeGreaterThan(0), { timeout: UP_MS });
      await node.stop();
      expectNothingOf([listener], { owed: [], privateKey: home.privateKey });
    },
  );

  test("with a setup code for that place presents the code, and nothing else", async () => {
    await using listener = await startHostileListener({ manner: "asks for the device token" });
    await using home = await victim();
    const bootstrapToken = GIVEN;
    const code = { url: listener.url, bootstrapToken, expiresAtMs: Date.now() + 600_000 };
    const text = Buffer.from(JSON.stringify(code)).toString("base64url");
    const node = home.start(["connect", "--target-file", "-"], { input: text });
    await vi.waitFor(() => expect(listener.frames.length).toBeGreaterThan(0), { timeout: UP_MS });
    await node.stop();
    expectNothingOf([listener], { owed: [GIVEN], privateKey: home.privateKey });
  });
});

describe.concurrent("the client library", () => {
  test.each(MANNERS)("keeps a token of another endpoint from one who %s", async (manner) => {
    await using listener = await startHostileListener({
      manner,
      redirectTo: "http://127.0.0.1:1/",
    });
    await using home = await victim();
    const identity = await loadOrCreateDeviceIdentity(home.file(".openclaw/identity/device.json"));
    const deviceStore = createMemoryTokenStore();
    const { deviceId } = identity;
    const kept = { token: KNOWN.operatorDeviceToken, scopes: [], updatedAtMs: 1 };
    for (const endpoint of ["127.0.0.1:1", "127.0.0.1:18789", `localhost:${listener.port}`]) {
      // oxlint-disable-next-line no-await-in-loop
      await deviceStore.set({ endpoint, role: "operator", deviceId }, kept);
    }
    for (const token of [undefined, GIVEN]) {
      // oxlint-disable-next-line no-await-in-loop
      await met(
        connectGateway({
          url: listener.url,
          identity,
          deviceStore,
          reconnect: false,
          connectTimeoutMs: 5_000,
          ...(token === undefined ? {} : { token }),
        }),
      );
    }
    expect(listener.upgrades).toBeGreaterThanOrEqual(2);
    const owed = probed(manner) ? [GIVEN] : [];
    expectNothingOf([listener], { owed, privateKey: home.privateKey });
  });

  test("a token that a listener issued is not offered to anybody else", async () => {
    await using first = await startHostileListener({ manner: "welcomes" });
    await using second = await startHostileListener({ manner: "asks for the device token" });
    await using home = await victim();
    const identity = await loadOrCreateDeviceIdentity(home.file(".openclaw/identity/device.json"));
    const deviceStore = createMemoryTokenStore();
    for (const { url } of [first, second]) {
      // oxlint-disable-next-line no-await-in-loop
      await met(connectGateway({ url, identity, deviceStore, reconnect: false }));
    }
    const endpoint = `127.0.0.1:${first.port}`;
    const { deviceId } = identity;
    expect(await deviceStore.get({ endpoint, role: "operator", deviceId })).toMatchObject({
      token: "a-token-of-the-hostile-listener",
    });
    expect(second.frames.length).toBeGreaterThan(0);
    expect(second.heard()).not.toContain("a-token-of-the-hostile-listener");
  });
});

test("a Gateway that the network announces gets no credential", async () => {
  await using listener = await startHostileListener({ manner: "welcomes" });
  const network = {
    OPENCLAW_MDNS_PORT: String(randomInt(20_000, 60_000)),
    OPENCLAW_MDNS_INTERFACE: "127.0.0.1",
  };
  await using stranger = await createProgramHome(network);
  await stranger.writeConfig({
    gateway: { mode: "local", auth: { token: "of-the-stranger" } },
    discovery: { mdns: { mode: "full" } },
  });
  const announcing = stranger.start(["gateway", "run", "--port", "0"], {
    env: { OPENCLAW_SSH_PORT: String(listener.port), OPENCLAW_TAILNET_DNS: "127.0.0.1" },
  });
  await announcing.line("Auth mode", { deadlineMs: UP_MS });
  await using home = await victim({ mode: "remote", remote: { url: "ws://127.0.0.1:1" } });
  const env = { ...network, OPENCLAW_GATEWAY_TOKEN: GIVEN };
  await vi.waitFor(async () => {
    const { stdout } = await home.run(["gateway", "discover", "--json"], { env });
    expect(JSON.parse(stdout)).toMatchObject({ count: 1 });
  }, UP_MS);
  await home.run(["gateway", "probe", "--ssh-auto"], { env });
  expect(listener.connections).toBeGreaterThan(0);

  expectNothingOf([listener], { owed: [], privateKey: home.privateKey });
});
