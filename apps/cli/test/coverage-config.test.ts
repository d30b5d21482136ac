import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { createRawPeer, fakeTailscale, freePort } from "@openclaw/testkit";
import { expect, test, vi } from "vitest";
import { type CliFixture, createCli } from "./cli-fixture.ts";
import { refuses, starts, writeConfig } from "./gateway-fixture.ts";

// What the guides and the tutorial promise of the config, statement by statement, typed as a reader
// would. R is the remote guide, M the one of the desktop app, A the read-me of the app, T the tutorial.

vi.setConfig({ testTimeout: 90_000 });

const TOKEN = "a-token-of-the-config-coverage";
const PASSWORD = "a-password-of-the-config-coverage";
const local = (gateway: object = {}) => ({ gateway: { mode: "local", ...gateway } });
const withToken = (gateway: object = {}) => local({ auth: { token: TOKEN }, ...gateway });

/** The JSON Schema of one key, and with it its default. */
async function schemaOf(path: string): Promise<Record<string, unknown>> {
  await using cli = await createCli();
  const { stdout } = await cli.run(["config", "schema"]);
  let node = JSON.parse(stdout) as Record<string, unknown>;
  for (const key of path.split(".")) {
    const properties = node["properties"] as Record<string, Record<string, unknown>> | undefined;
    const found = properties?.[key];
    if (found === undefined) throw new Error(`the schema has no ${path}`);
    node = found;
  }
  return node;
}

/** Whether a config file with this content is valid. */
async function isValid(config: object): Promise<boolean> {
  await using cli = await createCli();
  await writeConfig(cli, config);
  return (await cli.run(["config", "validate"])).code === 0;
}

async function withFile(folder: string, name: string, text: string): Promise<CliFixture> {
  const cli = await createCli();
  await mkdir(cli.home.file(folder), { recursive: true });
  await writeFile(cli.home.file(folder, name), text);
  return cli;
}

test("R: single Gateway per host, isolated profiles otherwise: state, config and port of its own", async () => {
  await using cli = await createCli();
  const file = async (...flags: string[]) =>
    (await cli.run([...flags, "config", "file"])).stdout.trim();
  expect(await file()).toBe(cli.home.file(".openclaw", "openclaw.json"));
  expect(await file("--profile", "work")).toBe(cli.home.file(".openclaw-work", "openclaw.json"));
  const dev = await cli.run(["--dev", "gateway", "status", "--no-probe", "--json"]);
  expect(dev.json()).toMatchObject({ gateway: { port: 19_001 } });
});

test("R: loopback on configured port, 18789 by default", async () => {
  expect(await schemaOf("gateway.port")).toMatchObject({ default: 18_789 });
  expect(await schemaOf("gateway.bind")).toMatchObject({ default: "loopback" });
});

test("R: 18789 is replaced by gateway.port, --port, OPENCLAW_GATEWAY_PORT, the flag first", async () => {
  await using cli = await createCli();
  await writeConfig(cli, withToken({ port: 20_001 }));
  const env = { OPENCLAW_GATEWAY_PORT: "20002" };
  const port = async (flags: readonly string[], more: Record<string, string> = {}) => {
    const words = ["gateway", "status", "--no-probe", "--json", ...flags];
    const { gateway } = (await cli.run(words, { env: more })).json() as {
      gateway: { port: number };
    };
    return gateway.port;
  };
  expect(await port([])).toBe(20_001);
  expect(await port([], env)).toBe(20_002);
  expect(await port(["--port", "20003"], env)).toBe(20_003);
});

test("R: always-on in the tailnet: loopback + Serve; fall-back SSH", async () => {
  await using tailscale = await fakeTailscale();
  const config = withToken({ port: await freePort(), tailscale: { mode: "serve" } });
  {
    await using run = await starts({ tailscale, config });
    expect(run.banner).toContain("🌐 Tailscale Serve:");
  }
  tailscale.fail({ on: "serve --bg", kind: "fail", text: "Serve is not enabled." });
  await using second = await fakeTailscale({ isDaemonRunning: false });
  expect((await refuses({ tailscale: second, config })).stderr).toContain("ssh://");
});

test("R: laptop Gateway exposed by tunnel or Serve, loopback only", async () => {
  const config = withToken({ bind: "lan", tailscale: { mode: "serve" } });
  expect(await refuses({ config })).toMatchObject({ code: 78 });
});

test("R: persisted default: mode remote, remote.url, remote.token", async () => {
  const port = await freePort();
  const url = `ws://127.0.0.1:${port}`;
  await using far = await starts({ config: withToken({ port }) });
  expect(far.banner).toContain(url);
  await using laptop = await createCli();
  await writeConfig(laptop, { gateway: { mode: "remote", remote: { url, token: TOKEN } } });
  expect((await laptop.run(["health"])).code).toBe(0);
});

test("R: loopback-only: keep ws://127.0.0.1:18789, tunnel first: without one the hint says so", async () => {
  await using laptop = await createCli();
  const url = `ws://127.0.0.1:${await freePort()}`;
  await writeConfig(laptop, { gateway: { mode: "remote", remote: { url, token: TOKEN } } });
  const { code, stderr } = await laptop.run(["health"]);
  expect(code).toBe(1);
  expect(stderr).toContain(url);
  expect(stderr).toMatch(/ssh|tunnel/iu);
});

test("R(004): --url never borrows config or env credentials", async () => {
  // Whoever pretends to be a Gateway hears nothing, since nobody connects.
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const url = `ws://127.0.0.1:${port}`;
  await using laptop = await createCli();
  await writeConfig(laptop, { gateway: { mode: "remote", remote: { url, token: TOKEN } } });
  const env = { OPENCLAW_GATEWAY_TOKEN: TOKEN, OPENCLAW_GATEWAY_PASSWORD: PASSWORD };
  const result = await laptop.run(["health", "--url", url, "--json"], { env });
  expect(result).toMatchObject({ code: 1 });
  expect(result.json()).toMatchObject({ error: { type: "gateway_credentials_required" } });
  expect(connections).toBe(0);
  server.close();
});

test("R/M: WebChat without its own HTTP port: the page and the WebSocket share one", async () => {
  const port = await freePort();
  await using run = await starts({ config: withToken({ port }) });
  const { httpUrl, wsUrl } = (await run.command(["dashboard", "--no-open", "--json"])).json();
  expect(new URL(String(httpUrl)).port).toBe(String(port));
  expect(new URL(String(wsUrl)).port).toBe(String(port));
});

test("R: keep loopback unless sure: no config and no flag means loopback", async () => {
  const port = await freePort();
  await using run = await starts({ config: withToken({ port }) });
  expect(run.banner.match(/📡/gu)).toHaveLength(1);
  expect(run.banner).toContain(`ws://127.0.0.1:${port}`);
});

test.each(["lan", "tailnet", "custom", "auto"])(
  "R/M/T: bind %s needs token or password",
  async (bind) => {
    const host = bind === "custom" ? { customBindHost: "127.0.0.2" } : {};
    expect(await refuses({ config: local({ bind, ...host }) })).toMatchObject({ code: 78 });
    await using run = await starts({
      config: withToken({ bind, port: await freePort(), ...host }),
    });
    expect(run.banner).toContain("🔒 Auth mode: token");
  },
);

test("R/T: remote.token only for remote calls, no local auth", async () => {
  const config = local({ bind: "lan", remote: { token: TOKEN } });
  const { code, stderr } = await refuses({ config });
  expect(code).toBe(78);
  expect(stderr).toMatch(/gateway\.auth\.token/u);
});

test("R: remote.tlsFingerprint takes a certificate or a public key, one or two of them", async () => {
  const url = "wss://gateway.example.ts.net";
  const hex = "AB".repeat(32);
  const key = `sha256//${Buffer.alloc(32, 7).toString("base64")}`;
  const valid = (tlsFingerprint: unknown) =>
    isValid({ gateway: { mode: "remote", remote: { url, tlsFingerprint } } });
  expect(await valid(hex)).toBe(true);
  expect(await valid(hex.match(/../gu)?.join(":"))).toBe(true);
  expect(await valid([hex, key])).toBe(true);
  expect(await valid("AB")).toBe(false);
});

test.each([
  [true, "NOT_PAIRED"],
  [false, "AUTH_TOKEN_MISSING"],
])("R/T: Serve identity headers with allowTailscale %s: %s", async (allowTailscale, code) => {
  const ip = "100.90.0.1";
  await using tailscale = await fakeTailscale({
    peers: { [ip]: { login: "alice@example.com", name: "Alice" } },
  });
  const port = await freePort();
  await using run = await starts({
    tailscale,
    config: local({ port, tailscale: { mode: "serve" }, auth: { token: TOKEN, allowTailscale } }),
  });
  expect(run.banner).toContain("Serve");
  await using alice = await createRawPeer(`ws://127.0.0.1:${port}`, {
    headers: {
      "x-forwarded-for": ip,
      "x-forwarded-proto": "https",
      "x-forwarded-host": "box.tail1234.ts.net",
      "tailscale-user-login": "alice@example.com",
    },
  });
  const error = allowTailscale ? { code } : { details: { code } };
  await expect(alice.handshake({})).rejects.toMatchObject({ error });
});

test("M: modes local / SSH (default) / direct", async () => {
  expect(await schemaOf("gateway.mode")).toMatchObject({ enum: ["local", "remote"] });
  expect(await schemaOf("gateway.remote.transport")).toMatchObject({
    enum: ["ssh", "direct"],
    default: "ssh",
  });
});

test("M: SSH target user@host[:port], and identity file", async () => {
  const remote = { sshTarget: "me@box:2222", sshIdentity: "~/.ssh/id_box" };
  expect(await isValid({ gateway: { mode: "remote", remote } })).toBe(true);
  expect(await isValid({ gateway: { remote: { sshTarget: "me@box:99999" } } })).toBe(false);
});

test.each([
  ["wss://gateway.example.ts.net", true],
  ["ws://127.0.0.1:18789", true],
  ["https://gateway.example.ts.net", false],
  ["gateway.example.ts.net:port", false],
])("M: Gateway URL %s as gateway.remote.url: %s", async (url, expected) => {
  expect(await isValid({ gateway: { mode: "remote", remote: { url } } })).toBe(expected);
});

test("M: notification sound per request: no config key exists", async () => {
  await using cli = await createCli();
  const { code } = await cli.run(["config", "set", "notifications.sound", "Glass"]);
  expect(code).toBe(1);
});

test("A/T: OPENCLAW_GATEWAY_TOKEN and CLAWDBOT_GATEWAY_TOKEN are read, the former name with a note", async () => {
  const port = await freePort();
  await using run = await starts({ config: withToken({ port }) });
  expect(run.banner).toContain(String(port));
  await using client = await createCli();
  const there = { OPENCLAW_GATEWAY_PORT: String(port) };
  const now = await client.run(["health"], { env: { ...there, OPENCLAW_GATEWAY_TOKEN: TOKEN } });
  expect(now).toMatchObject({ code: 0, stderr: "" });
  const former = await client.run(["health"], { env: { ...there, CLAWDBOT_GATEWAY_TOKEN: TOKEN } });
  expect(former.code).toBe(0);
  expect(former.stderr).toContain("CLAWDBOT_GATEWAY_TOKEN");
  expect(former.stderr).not.toContain(TOKEN);
});

test.each([
  ["clawdbot.json", ".clawdbot"],
  ["clawdbot.json", ".openclaw"],
  ["moltbot.json", ".moltbot"],
])("T: %s in ~/%s is found", async (name, folder) => {
  await using cli = await withFile(folder, name, "{ gateway: { port: 19789 } }");
  expect((await cli.run(["config", "get", "gateway.port"])).stdout).toBe("19789\n");
});

test("T: CLAWDBOT_GATEWAY_PASSWORD is the password of a Gateway in mode password", async () => {
  await using run = await starts({
    config: local({ port: await freePort(), auth: { mode: "password" } }),
    env: { CLAWDBOT_GATEWAY_PASSWORD: PASSWORD },
  });
  expect(run.banner).toContain("🔒 Auth mode: password");
});

test("T: auth.mode password recommended: it is the mode when only a password is there", async () => {
  await using run = await starts({
    config: local({ port: await freePort(), auth: { password: PASSWORD } }),
  });
  expect(run.banner).toContain("🔒 Auth mode: password");
});

test("T: start banner shows URL, exposure, auth mode", async () => {
  await using tailscale = await fakeTailscale();
  await using run = await starts({
    tailscale,
    config: withToken({ port: await freePort(), tailscale: { mode: "serve" } }),
  });
  expect(run.banner).toMatch(/^🚀[^\n]*\n📡[^\n]*\n🌐 Tailscale Serve: https:[^\n]*\n🔒[^\n]*\n$/u);
});

test("T: bind loopback, tailscale.mode serve, resetOnExit true is one valid config", async () => {
  const tailscale = { mode: "serve", resetOnExit: true };
  expect(await isValid(local({ bind: "loopback", tailscale }))).toBe(true);
});

test("T: https://<tailnet IP with port> needs TLS of the Gateway itself: the dashboard says https then", async () => {
  await using cli = await createCli();
  await writeConfig(cli, withToken({ port: 20_443, tls: { enabled: true } }));
  const { httpUrl } = (await cli.run(["dashboard", "--no-open", "--json"])).json();
  expect(httpUrl).toBe("https://127.0.0.1:20443/");
});

test("T: Funnel needs password; config by ${CLAWDBOT_GATEWAY_PASSWORD}", async () => {
  const config = local({
    tailscale: { mode: "funnel" },
    auth: { mode: "password", password: "${CLAWDBOT_GATEWAY_PASSWORD}" },
  });
  expect(await refuses({ config })).toMatchObject({
    code: 78,
    stderr: expect.stringContaining("CLAWDBOT_GATEWAY_PASSWORD"),
  });
  // The reference stays in the file whatever else is changed there.
  await using cli = await createCli();
  await writeConfig(cli, config);
  const env = { CLAWDBOT_GATEWAY_PASSWORD: PASSWORD };
  expect((await cli.run(["config", "set", "gateway.port", "20001"], { env })).code).toBe(0);
  const text = await readFile(cli.home.file(".openclaw", "openclaw.json"), "utf8");
  expect(text).toContain("${CLAWDBOT_GATEWAY_PASSWORD}");
  expect(text).not.toContain(PASSWORD);
});

test("T: Funnel URL wss://….ts.net", async () => {
  await using tailscale = await fakeTailscale();
  await using run = await starts({
    tailscale,
    config: local({
      port: await freePort(),
      tailscale: { mode: "funnel" },
      auth: { mode: "password", password: PASSWORD },
    }),
  });
  expect((await run.command(["status", "--json"])).json()).toMatchObject({
    tailscale: { mode: "funnel", wsUrl: "wss://box.tail1234.ts.net" },
  });
});

test("T: bind lan dangerous: refused without a secret", async () => {
  expect(await refuses({ config: local({ bind: "lan" }) })).toMatchObject({ code: 78 });
});

test.each([
  ["gateway.bind", "lan"],
  ["gateway.tailscale.mode", "funnel"],
  ["gateway.auth.mode", "token"],
  ["gateway.auth.allowTailscale", "true"],
  ["gateway.remote.url", "ws://127.0.0.1:18790"],
  ["gateway.remote.token", "something-long-enough-here"],
  ["gateway.tailscale.resetOnExit", "false"],
])("T: fields: %s is known, and %s allowed", async (path, value) => {
  await using cli = await createCli();
  expect((await cli.run(["config", "set", path, value, "--dry-run"])).code).toBe(0);
  expect((await cli.run(["config", "set", `${path}x`, value, "--dry-run"])).code).toBe(1);
});

test("T: tailnet bind without Serve or Funnel: the tailscale program is never run", async () => {
  await using tailscale = await fakeTailscale();
  await using run = await starts({
    tailscale,
    config: withToken({ port: await freePort(), bind: "tailnet" }),
  });
  expect(run.banner).not.toContain("🌐");
  expect(tailscale.calls()).toEqual([]);
});

test.each([[], ["--section", "gateway"]])(
  "a bare `config` asks what to change, and says what to type where nobody can answer: %j",
  async (...words) => {
    await using cli = await createCli();
    const { code, stderr } = await cli.run(["config", ...words]);
    expect(code).toBe(1);
    expect(stderr).toContain("there is nobody to ask here");
    expect(stderr).toContain("openclaw config set gateway.port");
    expect((await cli.run(["config", "--help"])).stdout).toMatch(/wizard[^]*get[^]*set/u);
  },
);
