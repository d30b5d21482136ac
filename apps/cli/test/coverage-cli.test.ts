import { mkdir, readFile, writeFile } from "node:fs/promises";
import { announce, networkFromEnv } from "@openclaw/discovery";
import { lanAddresses } from "@openclaw/exposure";
import { createRawPeer, fakeTailscale, freePort } from "@openclaw/testkit";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type CliFixture, createCli } from "./cli-fixture.ts";
import { refuses, type Run, starts, writeConfig } from "./gateway-fixture.ts";

// What the guides and the tutorial promise to whoever types it, statement by statement. The title of
// a test is the statement; the letter is its guide: R the remote guide, M the one of the desktop app,
// A the read-me of the app, T the tutorial.

vi.setConfig({ testTimeout: 90_000, hookTimeout: 90_000 });

const TOKEN = "a-token-of-the-coverage-tests";
const PASSWORD = "a-password-of-the-coverage-tests";
const ALICE = "100.90.0.1";
const NAME = "box.tail1234.ts.net";

/** What Serve adds to a request of Alice's. */
const served = {
  "x-forwarded-for": ALICE,
  "x-forwarded-proto": "https",
  "x-forwarded-host": NAME,
  "tailscale-user-login": "alice@example.com",
};
const peers = { [ALICE]: { login: "alice@example.com", name: "Alice" } };

/** The ids of what an audit of a config finds, by severity. */
async function audit(
  config: object,
): Promise<{ critical: string[]; warn: string[]; info: string[] }> {
  await using cli = await createCli();
  await writeConfig(cli, config);
  const { code, json } = await cli.run(["security", "audit", "--json"]);
  expect(code).toBe(0);
  const { findings } = json() as { findings: { checkId: string; severity: string }[] };
  const ids = (severity: string): string[] =>
    findings.filter((finding) => finding.severity === severity).map(({ checkId }) => checkId);
  return { critical: ids("critical"), warn: ids("warn"), info: ids("info") };
}

const local = (gateway: object = {}) => ({ gateway: { mode: "local", ...gateway } });

/** A machine that only uses a Gateway elsewhere. */
async function client(remote: object): Promise<CliFixture> {
  const cli = await createCli();
  await writeConfig(cli, { gateway: { mode: "remote", remote } });
  return cli;
}

describe("with a Gateway on loopback", () => {
  let gateway: Run;
  let port: number;
  let url: string;
  beforeAll(async () => {
    port = await freePort();
    url = `ws://127.0.0.1:${port}`;
    gateway = await starts({ config: local({ port, auth: { token: TOKEN } }) });
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  test("R: one Gateway (master) on a host, all clients connect to it", async () => {
    const second = await gateway.command(["gateway", "run", "--port", String(await freePort())]);
    expect(second).toMatchObject({ code: 78, stderr: expect.stringContaining("already runs") });
    for (const command of [["health"], ["nodes", "list"], ["devices", "list"], ["status"]]) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await gateway.command(command)).toMatchObject({ code: 0 });
    }
  });

  test("R: one gateway per host unless isolated profiles", async () => {
    await using rescue = await starts({
      profile: "rescue",
      config: local({ port: await freePort(), auth: { token: TOKEN } }),
    });
    expect((await rescue.command(["status", "--json"])).json()).toMatchObject({
      gateway: { reachable: true },
    });
  });

  test("R: Gateway WS binds loopback on the configured port", async () => {
    expect((await gateway.command(["gateway", "status", "--json"])).json()).toMatchObject({
      gateway: { bindMode: "loopback", bindHost: "127.0.0.1", port },
      rpc: { ok: true, url },
    });
    expect(gateway.banner).toContain(`📡 WebSocket: ${url}\n`);
  });

  test("R: with the tunnel `openclaw health` and `status --deep` reach ws://127.0.0.1:<port>", async () => {
    await using laptop = await client({ url, token: TOKEN });
    expect((await laptop.run(["health"])).stdout).toContain("✅ Gateway is healthy");
    expect((await laptop.run(["status", "--deep", "--json"])).json()).toMatchObject({
      gateway: { mode: "remote", url, reachable: true },
      health: { ok: true },
    });
  });

  test.each([
    ["gateway", "status"],
    ["gateway", "health"],
    ["gateway", "call", "health"],
    ["gateway", "probe"],
  ])("R: `openclaw %s %s` targets the forwarded URL with --url", async (...words) => {
    await using laptop = await createCli();
    const result = await laptop.run([...words, "--url", url, "--token", TOKEN, "--json"]);
    expect(result.code).toBe(0);
    expect(result.stdout).toMatch(/"ok": true/u);
  });

  test.each([
    "health",
    "gateway health",
    "gateway call health",
    "gateway probe",
    "nodes list",
    "devices list",
    "logs",
  ])(
    "R(004): with --url no fall-back to config or env credentials: `%s` is an error without --token or --password",
    async (words) => {
      await using laptop = await client({ url, token: TOKEN });
      const env = { OPENCLAW_GATEWAY_TOKEN: TOKEN };
      const result = await laptop.run([...words.split(" "), "--url", url, "--json"], { env });
      expect(result.code).toBe(1);
      expect(`${result.stdout}${result.stderr}`).toContain("gateway_credentials_required");
    },
  );

  test("R(004): `gateway status --url` reports it inside rpc, exit 0", async () => {
    await using laptop = await createCli();
    const result = await laptop.run(["gateway", "status", "--url", url, "--json"]);
    expect(result.code).toBe(0);
    expect(result.json()).toMatchObject({
      rpc: { ok: false, error: expect.stringContaining("needs explicit credentials") },
    });
  });

  test("R: gateway.mode remote, remote.url, remote.token persist the default target", async () => {
    await using laptop = await createCli();
    for (const [path, value] of [
      ["gateway.mode", "remote"],
      ["gateway.remote.url", url],
      ["gateway.remote.token", TOKEN],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop
      expect(await laptop.run(["config", "set", path, value])).toMatchObject({ code: 0 });
    }
    expect((await laptop.run(["status", "--json"])).json()).toMatchObject({
      gateway: { reachable: true, urlSource: "config gateway.remote.url" },
    });
  });

  test("R: gateway.remote.token is for remote CLI calls only, and does not enable local auth", async () => {
    const other = "the-token-of-a-client-elsewhere";
    await using run = await starts({
      config: local({ port: await freePort(), auth: { token: TOKEN }, remote: { token: other } }),
    });
    const { port: ownPort } = (await run.command(["gateway", "status", "--json"])).json()[
      "gateway"
    ] as { port: number };
    const there = ["--url", `ws://127.0.0.1:${ownPort}`, "--token"];
    await using stranger = await createCli();
    expect((await stranger.run(["health", ...there, other])).code).toBe(1);
    expect((await stranger.run(["health", ...there, TOKEN])).code).toBe(0);
    expect((await audit(local({ remote: { token: other } }))).warn).toContain(
      "gateway.remote_token_as_local_auth",
    );
  });

  test("R: the Gateway accepts loopback peers with the secret, and none without", async () => {
    await using stranger = await createCli();
    const wrong = await stranger.run(["health", "--url", url, "--token", "not-the-token-of-it"]);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/unauthorized: gateway token mismatch .*gateway\.auth\.token/u);
  });

  test("A/T: check with `lsof -i`: `gateway status` shows who holds the port", async () => {
    const status = (await gateway.command(["gateway", "status", "--json"])).json();
    const { listeners } = status["port"] as { listeners: { pid: number }[] };
    expect(listeners.map(({ pid }) => pid)).toContain(process.pid);
    const human = await gateway.command(["gateway", "status"]);
    expect(human.stdout).toContain(`pid ${process.pid}`);
  });

  test("T: pitfall, tunnel port conflict: another local port works with --url and a credential", async () => {
    await using laptop = await createCli();
    const result = await laptop.run(["health", "--url", url, "--token", TOKEN]);
    expect(result.stdout.split("\n").slice(0, 2)).toEqual([
      "✅ Gateway is healthy",
      "✅ Authenticated successfully",
    ]);
  });

  test("T: check table: `gateway status` → Running", async () => {
    expect((await gateway.command(["gateway", "status"])).stdout).toContain("✅ Running");
  });

  test("T: check table: `health --url <url>` → Healthy, with the credential that rule 004 asks for", async () => {
    await using laptop = await createCli();
    expect((await laptop.run(["health", "--url", url])).code).toBe(1);
    expect((await laptop.run(["health", "--url", url, "--token", TOKEN])).stdout).toContain(
      "healthy",
    );
  });

  test("T: check table: `nodes list` → list", async () => {
    expect((await gateway.command(["nodes", "list", "--json"])).json()).toEqual({
      pending: [],
      paired: [],
    });
  });

  test("M: `openclaw logs` of a remote Gateway shows its log, line by line", async () => {
    await using laptop = await createCli();
    const { code, stdout } = await laptop.run(["logs", "--url", url, "--token", TOKEN, "--json"]);
    expect(code).toBe(0);
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string });
    expect(lines[0]).toMatchObject({ type: "meta", file: expect.any(String) });
  });
});

test("R: Gateway WS binds port 18789 by default", async () => {
  await using cli = await createCli();
  expect((await cli.run(["gateway", "status", "--no-probe", "--json"])).json()).toMatchObject({
    gateway: { port: 18_789, portSource: "default", bindMode: "loopback" },
  });
});

test.each([
  ["gateway.port", "config", "gateway.port"],
  ["--port", "flag", "--port"],
  ["OPENCLAW_GATEWAY_PORT", "env", "OPENCLAW_GATEWAY_PORT"],
])("R: replace 18789 by %s", async (_title, way, portSource) => {
  const port = await freePort();
  await using run = await starts({
    config: local({ auth: { token: TOKEN }, ...(way === "config" ? { port } : {}) }),
    args: way === "flag" ? ["--port", String(port)] : [],
    env: way === "env" ? { OPENCLAW_GATEWAY_PORT: String(port) } : {},
  });
  expect(run.banner).toContain(`ws://127.0.0.1:${port}`);
  const flag = way === "flag" ? ["--port", String(port)] : [];
  const status = await run.command(["gateway", "status", ...flag, "--json"]);
  expect(status.json()).toMatchObject({ gateway: { port, portSource }, rpc: { ok: true } });
  expect(await run.command(["health", ...flag])).toMatchObject({ code: 0 });
});

test("R: set-up 1: always-on host, bind loopback + Serve for the Control UI", async () => {
  await using tailscale = await fakeTailscale();
  await using run = await starts({
    tailscale,
    config: local({
      port: await freePort(),
      bind: "loopback",
      tailscale: { mode: "serve" },
      auth: { token: TOKEN },
    }),
  });
  expect(run.banner).toContain(`🌐 Tailscale Serve: https://${NAME}/`);
  expect((await run.command(["status", "--json"])).json()).toMatchObject({
    dashboard: `https://${NAME}/`,
  });
});

test("R: set-up 2: the laptop is remote control only, and never starts a Gateway", async () => {
  await using laptop = await createCli();
  const flags = [
    "--mode",
    "remote",
    "--remote-url",
    "ws://127.0.0.1:18789",
    "--remote-token",
    TOKEN,
  ];
  const onboarded = await laptop.run(["onboard", "--non-interactive", "--accept-risk", ...flags]);
  expect(onboarded.code).toBe(0);
  const refused = await laptop.run(["gateway", "run"]);
  expect(refused).toMatchObject({ code: 78, stderr: expect.stringContaining("mode is remote") });
});

test("R: set-up 3: a laptop's Gateway stays on loopback, and others come by Serve or tunnel", async () => {
  await using tailscale = await fakeTailscale();
  const auth = { token: TOKEN };
  const open = local({ bind: "lan", tailscale: { mode: "serve" }, auth });
  expect(await refuses({ tailscale, config: open })).toMatchObject({
    code: 78,
    stderr: expect.stringContaining("gateway.bind to loopback"),
  });
});

test("R: keep the Gateway loopback-only unless sure", async () => {
  expect((await audit(local({ bind: "lan" }))).critical).toContain("gateway.bind_no_auth");
  const { critical } = await audit(local({ auth: { token: TOKEN } }));
  expect(critical).not.toContain("gateway.bind_no_auth");
});

test.each([
  ["SSH", {}],
  ["Serve", { tailscale: { mode: "serve" } }],
])(
  "R: loopback + %s is the safest default: the audit finds nothing critical",
  async (_way, keys) => {
    const { critical } = await audit(local({ auth: { token: TOKEN }, ...keys }));
    expect(critical).toEqual([]);
  },
);

test.each(["lan", "tailnet", "custom", "auto"])(
  "R/M/T: non-loopback (%s) must have token or password",
  async (bind) => {
    const keys = { bind, ...(bind === "custom" ? { customBindHost: "127.0.0.2" } : {}) };
    expect(await refuses({ config: local(keys) })).toMatchObject({
      code: 78,
      stderr: expect.stringMatching(/gateway\.auth\.token|OPENCLAW_GATEWAY_TOKEN/u),
    });
  },
);

test("R: remote.tlsFingerprint pins the certificate for wss://", async () => {
  const port = await freePort();
  await using far = await starts({
    config: local({ port, tls: { enabled: true }, auth: { token: TOKEN } }),
  });
  const [, pin = ""] = /TLS fingerprint \(SHA-256\): (\S+)/u.exec(far.banner) ?? [];
  const remote = { url: `wss://127.0.0.1:${port}`, token: TOKEN };
  await using right = await client({ ...remote, tlsFingerprint: pin });
  expect((await right.run(["health"])).code).toBe(0);
  await using wrong = await client({ ...remote, tlsFingerprint: "0".repeat(64) });
  const refused = await wrong.run(["health"]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(pin);
});

describe("with a Gateway behind Tailscale", () => {
  const upTo = async (
    keys: object,
    mode: string,
  ): Promise<{ run: Run; url: string } & AsyncDisposable> => {
    const tailscale = await fakeTailscale({ peers });
    const port = await freePort();
    const run = await starts({ tailscale, config: local({ port, tailscale: { mode }, ...keys }) });
    return {
      run,
      url: `ws://127.0.0.1:${port}`,
      async [Symbol.asyncDispose]() {
        await run[Symbol.asyncDispose]();
        await tailscale[Symbol.asyncDispose]();
      },
    };
  };

  test("R: Serve authenticates by identity headers when auth.allowTailscale is true", async () => {
    await using gateway = await upTo({ auth: { token: TOKEN, allowTailscale: true } }, "serve");
    await using alice = await createRawPeer(gateway.url, { headers: served });
    // Known, and yet her device has to be let in once.
    await expect(alice.handshake({})).rejects.toMatchObject({ error: { code: "NOT_PAIRED" } });
  });

  test("R: auth.allowTailscale false → tokens, through Serve too", async () => {
    await using gateway = await upTo({ auth: { token: TOKEN, allowTailscale: false } }, "serve");
    await using alice = await createRawPeer(gateway.url, { headers: served });
    await expect(alice.handshake({})).rejects.toMatchObject({
      error: { details: { code: "AUTH_TOKEN_MISSING" } },
    });
  });

  test("R: browser control = operator access: a browser in the tailnet needs deliberate pairing", async () => {
    await using gateway = await upTo({ auth: { token: TOKEN, allowTailscale: true } }, "serve");
    await using page = await createRawPeer(gateway.url, {
      headers: { ...served, origin: `https://${NAME}`, host: NAME },
    });
    await expect(page.handshake({})).rejects.toMatchObject({ error: { code: "NOT_PAIRED" } });
    const devices = await gateway.run.command(["devices", "list", "--json"]);
    expect(devices.json()).toMatchObject({ pending: [expect.anything()] });
  });

  test("T: Funnel injects no identity headers, and those that somebody invents count for nothing", async () => {
    const auth = { mode: "password", password: PASSWORD, allowTailscale: true };
    await using gateway = await upTo({ auth }, "funnel");
    await using stranger = await createRawPeer(gateway.url, {
      headers: { ...served, "tailscale-funnel-request": "?1" },
    });
    await expect(stranger.handshake({})).rejects.toMatchObject({
      error: { details: { code: "AUTH_PASSWORD_MISSING" } },
    });
  });
});

test("M: Setting Gateway URL (direct): wss:// and ws:// to a private place, and nothing else", async () => {
  await using laptop = await createCli();
  const set = (url: string) => laptop.run(["remote", "set", url]);
  expect((await set("wss://gateway.example.ts.net")).code).toBe(0);
  expect((await set("ws://192.168.1.9:18789")).code).toBe(0);
  expect((await set("https://gateway.example.ts.net")).code).toBe(1);
  const open = await laptop.run(["health", "--url", "ws://gateway.example.com", "--token", TOKEN]);
  expect(open.code).toBe(1);
  expect(open.stderr).toMatch(/wss:\/\//u);
});

test("M: trouble: `openclaw status --json` answers with one document when the Gateway is down", async () => {
  await using cli = await createCli();
  await writeConfig(cli, local({ port: await freePort(), auth: { token: TOKEN } }));
  const status = await cli.run(["status", "--json"]);
  expect(status.code).toBe(0);
  expect(status.json()).toMatchObject({ gateway: { reachable: false } });
});

test("A/T: OPENCLAW_GATEWAY_TOKEN of the environment is what clients present", async () => {
  const port = await freePort();
  await using run = await starts({
    config: local({ port }),
    env: { OPENCLAW_GATEWAY_TOKEN: TOKEN },
  });
  expect(run.banner).toContain("🔒 Auth mode: token");
  await using other = await createCli();
  const env = { OPENCLAW_GATEWAY_PORT: String(port) };
  expect(
    (await other.run(["health"], { env: { ...env, OPENCLAW_GATEWAY_TOKEN: TOKEN } })).code,
  ).toBe(0);
  expect((await other.run(["health"], { env })).code).toBe(1);
});

test("T: `clawdbot --version` → `clawdbot CLI v<version>`", async () => {
  await using cli = await createCli();
  const { stdout } = await cli.run(["--version"], { programName: "clawdbot" });
  expect(stdout).toMatch(/^clawdbot CLI v\d+\.\d+\.\d+\n$/u);
});

test("T: `clawdbot onboard` ends with three ✅ lines", async () => {
  await using cli = await createCli();
  const { code, stdout } = await cli.run(["onboard", "--non-interactive", "--accept-risk"], {
    programName: "clawdbot",
  });
  expect(code).toBe(0);
  const lines = stdout.trimEnd().split("\n").slice(-3);
  expect(lines[0]).toBe("✅ Gateway configured successfully");
  expect(lines[1]).toMatch(/^✅ Channels configured: /u);
  expect(lines[2]).toMatch(/^✅ AI model configured: /u);
});

test("T: auth.mode password + CLAWDBOT_GATEWAY_PASSWORD, on both sides", async () => {
  const port = await freePort();
  await using run = await starts({
    config: local({ port, auth: { mode: "password" } }),
    env: { CLAWDBOT_GATEWAY_PASSWORD: PASSWORD },
  });
  expect(run.banner).toContain("🔒 Auth mode: password");
  expect((await run.command(["health"])).stdout).toContain("✅ Authenticated successfully");
  await using other = await createCli();
  const there = ["--url", `ws://127.0.0.1:${port}`, "--password"];
  expect((await other.run(["health", ...there, PASSWORD])).code).toBe(0);
  const wrong = await other.run(["health", ...there, "not-the-password"]);
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toMatch(
    /unauthorized: gateway password mismatch .*gateway\.auth\.password/u,
  );
  const document = await other.run(["health", ...there, "not-the-password", "--json"]);
  expect(document.json()).toMatchObject({ error: { code: "AUTH_PASSWORD_MISMATCH" } });
});

test("T: `clawdbot gateway start` prints the start banner, in the foreground where no service is", async () => {
  const port = await freePort();
  await using run = await starts({
    words: ["gateway", "start"],
    config: local({ port, auth: { token: TOKEN } }),
  });
  expect(run.banner.split("\n")).toEqual([
    "🚀 Gateway starting...",
    `📡 WebSocket: ws://127.0.0.1:${port}`,
    "🔒 Auth mode: token",
    "",
  ]);
});

test("T: bind loopback, tailscale {mode serve, resetOnExit true}, auth.mode password", async () => {
  await using tailscale = await fakeTailscale();
  const port = await freePort();
  {
    await using run = await starts({
      tailscale,
      env: { CLAWDBOT_GATEWAY_PASSWORD: PASSWORD },
      config: local({
        port,
        bind: "loopback",
        tailscale: { mode: "serve", resetOnExit: true },
        auth: { mode: "password" },
      }),
    });
    expect(run.banner).toContain("🔒 Auth mode: password");
    expect(tailscale.tableText()).toContain(`127.0.0.1:${port}`);
  }
  expect(tailscale.tableText()).not.toContain(`127.0.0.1:${port}`);
});

test("T: the client opens https://<magicdns>/: the Gateway answers to that name", async () => {
  await using tailscale = await fakeTailscale({ peers });
  const port = await freePort();
  await using run = await starts({
    tailscale,
    config: local({ port, tailscale: { mode: "serve" }, auth: { token: TOKEN } }),
  });
  expect(run.banner).toContain(NAME);
  // A browser through Serve: it is not turned away for its Host or Origin.
  const headers = { ...served, host: NAME, origin: `https://${NAME}` };
  await using page = await createRawPeer(`ws://127.0.0.1:${port}`, { headers });
  await expect(page.handshake({ token: TOKEN })).rejects.toMatchObject({
    error: { code: "NOT_PAIRED" },
  });
});

test("T: `health --url ws://<tailnet-ip>:18789 --password`: plaintext is allowed within the tailnet", async () => {
  await using cli = await createCli();
  const there = ["--url", "ws://100.64.0.9:18789", "--password", PASSWORD, "--timeout", "300"];
  const result = await cli.run(["health", ...there, "--json"]);
  expect(result.code).toBe(1);
  // It was tried, and not refused for want of TLS.
  expect(result.json()).toMatchObject({ error: { type: "gateway_transport_error" } });
});

test("T: Funnel: password mandatory, with ${CLAWDBOT_GATEWAY_PASSWORD}; else it does not start", async () => {
  await using tailscale = await fakeTailscale();
  const config = local({
    port: await freePort(),
    tailscale: { mode: "funnel" },
    auth: { mode: "password", password: "${CLAWDBOT_GATEWAY_PASSWORD}" },
  });
  expect(await refuses({ tailscale, config })).toMatchObject({
    code: 78,
    stderr: expect.stringContaining("CLAWDBOT_GATEWAY_PASSWORD"),
  });
  await using run = await starts({
    tailscale,
    config,
    env: { CLAWDBOT_GATEWAY_PASSWORD: PASSWORD },
  });
  expect(run.banner).toContain(`🌐 Tailscale Funnel: https://${NAME}/`);
});

test("T: pitfall: funnel + token refused", async () => {
  const config = local({ tailscale: { mode: "funnel" }, auth: { token: TOKEN } });
  expect(await refuses({ config })).toMatchObject({
    code: 78,
    stderr: expect.stringContaining("needs auth mode password"),
  });
  expect((await audit(config)).critical).toContain("gateway.tailscale_funnel_no_password");
});

test("T: pitfall: bind lan dangerous, no auth = severe risk", async () => {
  expect((await audit(local({ bind: "lan" }))).critical).toContain("gateway.bind_no_auth");
});

test("T: comparison Serve / SSH / Funnel: the audit weighs them so", async () => {
  const auth = { mode: "password", password: PASSWORD };
  const serve = await audit(local({ tailscale: { mode: "serve" }, auth }));
  const ssh = await audit(local({ auth }));
  const funnel = await audit(local({ tailscale: { mode: "funnel" }, auth }));
  expect(serve.info).toContain("gateway.tailscale_serve");
  expect(ssh.critical).toEqual([]);
  expect(funnel.critical).toContain("gateway.tailscale_funnel");
});

test("T: checklist: password by env, and regular `security audit`", async () => {
  const literal = await audit(local({ auth: { mode: "password", password: PASSWORD } }));
  expect(literal.warn).toContain("config.secrets.gateway_password_in_config");
  const reference = await audit(
    local({ auth: { mode: "password", password: "${HOUSE_PASSWORD}" } }),
  );
  expect(reference.warn).not.toContain("config.secrets.gateway_password_in_config");
});

test.each([
  ["gateway.bind", "loopback"],
  ["gateway.tailscale.mode", "serve"],
  ["gateway.tailscale.resetOnExit", "true"],
  ["gateway.auth.mode", "password"],
  ["gateway.auth.allowTailscale", "false"],
  ["gateway.remote.url", "wss://gateway.example.ts.net"],
  ["gateway.remote.token", TOKEN],
])("T: field list: %s can be set, and is read back", async (path, value) => {
  await using cli = await createCli();
  expect((await cli.run(["config", "set", path, value])).code).toBe(0);
  const read = await cli.run(["config", "get", path, "--show-secrets"]);
  expect(read.stdout).toBe(`${value}\n`);
});

test("T: `bind: tailnet` listens there and on loopback without Serve or Funnel, and never wider", async () => {
  const port = await freePort();
  await using run = await starts({
    config: local({ port, bind: "tailnet", auth: { token: TOKEN } }),
  });
  expect(run.banner).toContain(`ws://127.0.0.1:${port}`);
  expect(run.banner).not.toContain("0.0.0.0");
  const hosts = [...run.banner.matchAll(/ws:\/\/([\d.]+):/gu)].map(([, host]) => host);
  for (const host of hosts) expect(host).toMatch(/^(?:127\.0\.0\.1|100\.\d+\.\d+\.\d+)$/u);
  expect((await run.command(["health"])).code).toBe(0);
});

test("T: ~/.clawdbot/clawdbot.json of the tutorial is read where it is", async () => {
  await using cli = await createCli();
  await mkdir(cli.home.file(".clawdbot"));
  const path = cli.home.file(".clawdbot", "clawdbot.json");
  const text = JSON.stringify(local({ port: 19_789 }));
  await writeFile(path, text);
  expect((await cli.run(["config", "get", "gateway.port"])).stdout).toBe("19789\n");
  expect(await readFile(path, "utf8")).toBe(text);
});

/** An address by which another machine in the network would come; absent on a machine without one. */
const lanAddress = lanAddresses().find((address) => !address.includes(":"));

test.runIf(lanAddress !== undefined)(
  "R: nodes connect to the Gateway WebSocket over the LAN, and wait there to be let in",
  async () => {
    const port = await freePort();
    await using run = await starts({
      config: local({ port, bind: "lan", auth: { token: TOKEN } }),
    });
    expect(run.banner).toContain(`ws://${lanAddress}:${port}`);
    const node = { token: TOKEN, role: "node", client: { id: "node-host", mode: "node" } } as const;
    await using far = await createRawPeer(`ws://${lanAddress}:${port}`);
    await expect(far.handshake(node)).rejects.toMatchObject({ error: { code: "NOT_PAIRED" } });
  },
);

test.runIf(lanAddress !== undefined)(
  "M: direct: the Gateway sees the real client IP, and not 127.0.0.1",
  async () => {
    const port = await freePort();
    await using run = await starts({
      config: local({ port, bind: "lan", auth: { token: TOKEN } }),
    });
    await using far = await createRawPeer(`ws://${lanAddress}:${port}`);
    await expect(far.handshake({ token: TOKEN })).rejects.toMatchObject({
      error: { code: "NOT_PAIRED" },
    });
    expect((await run.command(["devices", "list", "--json"])).json()).toMatchObject({
      pending: [{ remoteIp: lanAddress }],
    });
  },
);

test("M: setting SSH target, project root and CLI path: what a Gateway advertises of itself", async () => {
  await using cli = await createCli();
  const env = {
    OPENCLAW_MDNS_PORT: String(await freePort()),
    OPENCLAW_MDNS_INTERFACE: "127.0.0.1",
  };
  const up = Promise.withResolvers<void>();
  const announcement = announce({
    facts: {
      displayName: "Studio",
      hostLabel: "openclaw",
      port: 18_789,
      ssh: { port: 2222, cliPath: "/opt/homebrew/bin/openclaw" },
    },
    network: networkFromEnv(env),
    onState: ({ kind }) => kind === "announced" && up.resolve(),
  });
  await up.promise;
  const { beacons } = (await cli.run(["gateway", "discover", "--json"], { env })).json();
  await announcement.close();
  expect(beacons).toMatchObject([
    { host: "openclaw.local", sshPort: 2222, cliPath: "/opt/homebrew/bin/openclaw" },
  ]);
});

test("M: setting Transport: SSH is the default, direct has to be said", async () => {
  await using cli = await createCli();
  const { stdout } = await cli.run(["config", "schema"]);
  expect(stdout).toMatch(/"transport": \{[^}]*"default": "ssh"/u);
});

test("T: Tailscale install and `tailscale up`: a Gateway that is to be served says what is missing", async () => {
  const config = local({
    port: await freePort(),
    auth: { token: TOKEN },
    tailscale: { mode: "serve" },
  });
  await using out = await fakeTailscale({ backendState: "NeedsLogin" });
  expect((await refuses({ tailscale: out, config })).stderr).toMatch(
    /not logged in to a tailnet[^]*Log in at https:/u,
  );
});

test("T: Funnel banner line, and the URL that clients type", async () => {
  await using tailscale = await fakeTailscale();
  await using run = await starts({
    tailscale,
    config: local({
      port: await freePort(),
      tailscale: { mode: "funnel" },
      auth: { mode: "password", password: PASSWORD },
    }),
  });
  expect(run.banner).toContain(`🌐 Tailscale Funnel: https://${NAME}/\n`);
  expect((await run.command(["gateway", "status", "--json"])).json()).toMatchObject({
    gateway: { exposure: { mode: "funnel", wsUrl: `wss://${NAME}` } },
  });
});

test("T: a system unit with `gateway start`: refused configuration ends with 78, which is not tried again", async () => {
  const config = local({ tailscale: { mode: "funnel" }, auth: { token: TOKEN } });
  const words = ["gateway", "start", "--foreground"];
  expect(await refuses({ config, words })).toMatchObject({ code: 78 });
});

test("T: a password in the environment of the unit, and nowhere else: no output and no log has it", async () => {
  await using run = await starts({
    words: ["gateway", "start"],
    config: local({ port: await freePort(), auth: { mode: "password" } }),
    env: { CLAWDBOT_GATEWAY_PASSWORD: PASSWORD },
    args: ["--verbose", "--ws-log", "full"],
  });
  expect((await run.command(["health"])).code).toBe(0);
  expect(run.log()).toContain("frame");
  for (const command of [
    ["status", "--json"],
    ["gateway", "status", "--json"],
    ["logs", "--json"],
  ]) {
    // oxlint-disable-next-line no-await-in-loop
    const { stdout, stderr } = await run.command(command);
    expect(stdout + stderr).not.toContain(PASSWORD);
  }
  expect(run.log() + run.banner).not.toContain(PASSWORD);
});
