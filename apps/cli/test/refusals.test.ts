import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tailnetAddresses } from "@openclaw/exposure";
import { fakeTailscale, freePort } from "@openclaw/testkit";
import { expect, test, vi } from "vitest";
import { createCli } from "./cli-fixture.ts";
import { refuses, type RunInput, starts } from "./gateway-fixture.ts";

// Every way in which a Gateway refuses to start, through the command line that a person types: the
// exit code, the key or flag that is in the way, and what to do about it.

vi.setConfig({ testTimeout: 60_000 });

const TOKEN = "a-token-of-the-refusals-test";
const PASSWORD = "a-password-of-the-refusals-test";
const local = (gateway: object = {}) => ({ gateway: { mode: "local", ...gateway } });
const withToken = (gateway: object = {}) => local({ auth: { token: TOKEN }, ...gateway });

interface Case {
  readonly title: string;
  readonly input: RunInput;
  readonly code: 1 | 78;
  /** What is in the way. */
  readonly says: RegExp;
  /** What to do. */
  readonly cure: RegExp;
}

const cases: Case[] = [
  {
    title: "R1 no config file and no --allow-unconfigured",
    input: {},
    code: 78,
    says: /no config file \(looked for .*openclaw\.json\)/,
    cure: /openclaw gateway run --token <token>[^]*--allow-unconfigured/,
  },
  {
    title: "R1 a bare `gateway start` in an empty home is a foreground start, and refused as one",
    input: { words: ["gateway", "start"] },
    code: 78,
    says: /no config file/,
    cure: /--allow-unconfigured/,
  },
  {
    title: "R2 gateway.mode is not set",
    input: { config: { gateway: {} } },
    code: 78,
    says: /gateway\.mode is not set in .*openclaw\.json/,
    cure: /Set gateway\.mode to local.*--allow-unconfigured/,
  },
  {
    title: "R2 gateway.mode is remote",
    input: { config: { gateway: { mode: "remote", remote: { url: "ws://127.0.0.1:1" } } } },
    code: 78,
    says: /gateway\.mode is remote/,
    cure: /Set gateway\.mode to local.*--allow-unconfigured/,
  },
  {
    title: "R3 --port is no number",
    input: { config: withToken(), args: ["--port", "eighty"] },
    code: 78,
    says: /--port.*"eighty"/,
    cure: /0 takes any free port/,
  },
  {
    title: "R3 --port is out of range",
    input: { config: withToken(), args: ["--port", "65536"] },
    code: 78,
    says: /--port.*65536/,
    cure: /0 takes any free port/,
  },
  {
    title: "R4 unknown --bind",
    input: { config: withToken(), args: ["--bind", "wan"] },
    code: 1,
    says: /unknown --bind "wan"/,
    cure: /loopback, lan, tailnet, auto, custom/,
  },
  {
    title: "R4 unknown --ws-log",
    input: { config: withToken(), args: ["--ws-log", "loud"] },
    code: 1,
    says: /unknown --ws-log "loud"/,
    cure: /auto, full, compact/,
  },
  {
    title: "R4 --reset without --dev",
    input: { config: withToken(), args: ["--reset"] },
    code: 1,
    says: /--reset is for --dev only/,
    cure: /--dev --reset/,
  },
  {
    title: "R5 unknown --auth",
    input: { config: withToken(), args: ["--auth", "kerberos"] },
    code: 1,
    says: /--auth.*"kerberos"/,
    cure: /token.*password/,
  },
  {
    title: "R5 unknown --tailscale",
    input: { config: withToken(), args: ["--tailscale", "on"] },
    code: 1,
    says: /--tailscale.*"on"/,
    cure: /off, serve, funnel/,
  },
  {
    title: "R6 auth mode token beyond loopback, and no token anywhere",
    input: { config: local({ bind: "lan", auth: { mode: "token" } }) },
    code: 78,
    says: /gateway\.bind|"lan"/,
    cure: /gateway\.auth\.token.*OPENCLAW_GATEWAY_TOKEN/,
  },
  {
    title: "R7 auth mode password, and no password",
    input: { config: local({ auth: { mode: "password" } }) },
    code: 78,
    says: /auth mode is password, and there is no password/,
    cure: /OPENCLAW_GATEWAY_PASSWORD or gateway\.auth\.password/,
  },
  {
    title: "R7 --password together with --password-file",
    input: { args: ["--password", PASSWORD, "--password-file", "/nowhere"] },
    code: 1,
    says: /--password and --password-file/,
    cure: /cannot be combined/,
  },
  ...["lan", "tailnet", "auto"].map((bind): Case => ({
    title: `R8 bind ${bind} and no shared secret`,
    input: { config: local({ bind }) },
    code: 78,
    says: new RegExp(`"${bind}"`),
    cure: /gateway\.auth\.token.*gateway\.auth\.password|OPENCLAW_GATEWAY_TOKEN/,
  })),
  {
    title: "R8 bind custom and no shared secret",
    input: { config: local({ bind: "custom", customBindHost: "127.0.0.2" }) },
    code: 78,
    says: /"custom"/,
    cure: /OPENCLAW_GATEWAY_TOKEN/,
  },
  {
    title: "R8 the identity that Tailscale vouches for is no shared secret",
    input: { config: local({ bind: "lan", auth: { allowTailscale: true } }) },
    code: 78,
    says: /"lan"/,
    cure: /OPENCLAW_GATEWAY_TOKEN/,
  },
  {
    title: "R8 gateway.remote.token is for clients, and is no secret of this Gateway",
    input: { config: local({ bind: "lan", remote: { token: TOKEN } }) },
    code: 78,
    says: /"lan"/,
    cure: /gateway\.auth\.token/,
  },
  {
    title: "R9 funnel and auth mode token",
    input: { config: withToken({ tailscale: { mode: "funnel" } }) },
    code: 78,
    says: /gateway\.tailscale\.mode is funnel/,
    cure: /gateway\.auth\.password.*OPENCLAW_GATEWAY_PASSWORD/,
  },
  {
    title: "R9 funnel and no secret at all",
    input: { config: local(), args: ["--tailscale", "funnel"] },
    code: 78,
    says: /--tailscale is funnel/,
    cure: /gateway\.auth\.password/,
  },
  {
    title: "R10 serve and bind lan",
    input: { config: withToken({ bind: "lan", tailscale: { mode: "serve" } }) },
    code: 78,
    says: /gateway\.tailscale\.mode is serve.*0\.0\.0\.0/,
    cure: /Set gateway\.bind to loopback/,
  },
  {
    title: "R10 funnel and bind lan",
    input: {
      config: local({
        bind: "lan",
        auth: { mode: "password", password: PASSWORD },
        tailscale: { mode: "funnel" },
      }),
    },
    code: 78,
    says: /gateway\.tailscale\.mode is funnel/,
    cure: /Set gateway\.bind to loopback/,
  },
  {
    title: "R14 bind custom without gateway.customBindHost",
    input: { config: withToken({ bind: "custom" }) },
    code: 78,
    says: /gateway\.customBindHost is not set/,
    cure: /Set gateway\.customBindHost to an IP address/,
  },
  {
    title: "R14 gateway.customBindHost is no address",
    input: { config: withToken({ bind: "custom", customBindHost: "box" }) },
    code: 78,
    says: /gateway\.customBindHost: found "box"/,
    cure: /an IPv4 or IPv6 address/,
  },
  {
    title: "R14 gateway.customBindHost is an address that this machine does not have",
    input: { config: withToken({ bind: "custom", customBindHost: "192.0.2.7" }) },
    // It may come up later: a supervisor may try again.
    code: 1,
    says: /192\.0\.2\.7/,
    cure: /gateway\.customBindHost/,
  },
  {
    title: "an unknown key is refused with the nearest one, and a hint to doctor --fix",
    input: { config: withToken({ prot: 1 }) },
    code: 78,
    says: /gateway\.prot.*did you mean.*gateway\.port/,
    cure: /openclaw doctor --fix/,
  },
  {
    title: "every problem of an invalid config is listed",
    input: { config: { gateway: { mode: "local", port: "x", bind: "wan", reload: { mode: 3 } } } },
    code: 78,
    says: /gateway\.port[^]*gateway\.bind[^]*gateway\.reload\.mode/,
    cure: /openclaw doctor --fix/,
  },
  {
    title: "hooks.enabled without hooks.token",
    input: { config: { ...withToken(), hooks: { enabled: true } } },
    code: 78,
    says: /hooks\.token/,
    cure: /hooks\.token/,
  },
  {
    title: "hooks.path is /",
    input: { config: { ...withToken(), hooks: { enabled: true, token: TOKEN, path: "/" } } },
    code: 78,
    says: /hooks\.path/,
    cure: /"?\/hooks/,
  },
  {
    title: "gateway.tls.enabled without files, and none may be made",
    input: { config: withToken({ tls: { enabled: true, autoGenerate: false } }) },
    code: 78,
    says: /gateway\.tls/,
    cure: /autoGenerate|certPath/,
  },
  {
    title: "gateway.tls.certPath cannot be read",
    input: {
      config: withToken({ tls: { enabled: true, certPath: "/nowhere/c", keyPath: "/nowhere/k" } }),
    },
    code: 78,
    says: /gateway\.tls.*\/nowhere/,
    cure: /\S/,
  },
  ...["telegram", "whatsapp"].map((channel): Case => ({
    title: `channels.${channel}.dmPolicy=open without "*" is an invalid config`,
    input: {
      config: { ...withToken(), channels: { [channel]: { dmPolicy: "open", allowFrom: ["1"] } } },
    },
    code: 78,
    says: new RegExp(String.raw`channels\.${channel}\.\w+.*"\*"`),
    cure: /openclaw doctor --fix/,
  })),
];

test.each(cases)("$title: exit $code", async ({ input, code, says, cure }) => {
  const refused = await refuses(input);
  expect(refused.stderr).toMatch(says);
  expect(refused.stderr).toMatch(cure);
  expect(refused.code).toBe(code);
  expect(refused.stdout).not.toContain("📡");
  expect(refused.stdout + refused.stderr).not.toContain(TOKEN);
  expect(refused.stdout + refused.stderr).not.toContain(PASSWORD);
});

test("R3 a variable that is no port is ignored, with a warning that names it", async () => {
  const port = await freePort();
  const env = { OPENCLAW_GATEWAY_PORT: "70000" };
  await using run = await starts({ config: withToken({ port }), env });
  expect(run.banner).toContain(`ws://127.0.0.1:${port}`);
  expect(run.log()).toMatch(/OPENCLAW_GATEWAY_PORT is ignored: .*70000/);
});

test("R6 on loopback starts with a secret for this run, which no file keeps and its own CLI finds", async () => {
  const port = await freePort();
  await using run = await starts({ config: local({ port }) });
  expect(run.log()).toMatch(/random.*(gateway\.auth\.token|OPENCLAW_GATEWAY_TOKEN)/);
  expect(await run.command(["health"])).toMatchObject({ code: 0 });
  expect((await run.command(["config", "get", "gateway.auth.token"])).code).toBe(1);
});

test("R6 does not fire when Serve vouches for identities on loopback", async () => {
  await using tailscale = await fakeTailscale();
  const port = await freePort();
  await using run = await starts({
    tailscale,
    config: local({ port, auth: { mode: "token" }, tailscale: { mode: "serve" } }),
  });
  expect(run.banner).toContain("🌐 Tailscale Serve:");
});

test("R10 serve and bind tailnet, where the tailnet has an address here: else R13", async () => {
  await using tailscale = await fakeTailscale();
  const port = await freePort();
  const config = withToken({ port, bind: "tailnet", tailscale: { mode: "serve" } });
  if (tailnetAddresses().ipv4 === undefined) {
    await using run = await starts({ config, tailscale });
    expect(run.log()).toContain("no tailnet address");
    return;
  }
  const refused = await refuses({ config, tailscale });
  expect(refused.code).toBe(78);
  expect(refused.stderr).toContain("Set gateway.bind to loopback");
});

test("R11 the lock is held: exit 78 with the pid, the wait, and how to stop it on this system", async () => {
  const port = await freePort();
  const other = await freePort();
  await using run = await starts({ config: withToken({ port }) });
  const refused = await run.command(["gateway", "run", "--port", String(other)]);
  expect(refused.code).toBe(78);
  expect(refused.stderr).toContain(`(pid ${process.pid}, port ${port})`);
  expect(refused.stderr).toContain("5000 ms");
  expect(refused.stderr).toContain("openclaw gateway stop");
  const stop = {
    darwin: /launchctl bootout gui\/\d+\/ai\.openclaw\.gateway/,
    win32: /schtasks \/End \/TN "OpenClaw Gateway"/,
  };
  const usual = /systemctl --user stop openclaw-gateway\.service/;
  const { platform } = process;
  expect(refused.stderr).toMatch(
    platform === "darwin" || platform === "win32" ? stop[platform] : usual,
  );
  expect(refused.stderr).toContain("--profile <name>");
});

test("R12 the port is in use: exit 1 with who holds it and what to do", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const refused = await refuses({ config: withToken({ port }) });
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(`port ${port} is in use by pid ${process.pid}`);
  expect(refused.stderr).toMatch(/on 127\.0\.0\.1/);
  expect(refused.stderr).toMatch(/--port/);
  server.close();
});

test("R13 bind tailnet without a tailnet address: 127.0.0.1 only, and a warning", async () => {
  const port = await freePort();
  await using run = await starts({ config: withToken({ port, bind: "tailnet" }) });
  expect(run.banner).toContain(`ws://127.0.0.1:${port}`);
  if (tailnetAddresses().ipv4 !== undefined) return;
  expect(run.banner.match(/📡/gu)).toHaveLength(1);
  expect(run.log()).toMatch(/gateway\.bind is tailnet.*no tailnet address.*tailscale status/);
});

test.each([
  // It may run by the time a supervisor tries again.
  ["the daemon does not run", { isDaemonRunning: false }, 1],
  ["Tailscale is logged out", { backendState: "NeedsLogin" }, 78],
] as const)(
  "R15 serve cannot be set up, since %s: the start fails",
  async (_title, state, code) => {
    await using tailscale = await fakeTailscale(state);
    const refused = await refuses({
      tailscale,
      config: withToken({ port: await freePort(), tailscale: { mode: "serve" } }),
    });
    expect(refused.code).toBe(code);
    expect(refused.stderr).toMatch(/gateway\.tailscale\.mode serve/);
    expect(refused.stderr).toMatch(/ssh:\/\//);
    expect(refused.stdout).not.toContain("📡");
  },
);

test("R15 tailscale refuses: its own words are passed on", async () => {
  await using tailscale = await fakeTailscale();
  tailscale.fail({ on: "serve --bg", kind: "fail", text: "Serve is not enabled on your tailnet." });
  const refused = await refuses({
    tailscale,
    config: withToken({ port: await freePort(), tailscale: { mode: "serve" } }),
  });
  expect(refused.code).toBe(78);
  expect(refused.stderr).toContain("Serve is not enabled on your tailnet.");
});

test("a config that is no JSON5 is refused with file, line and what to do", async () => {
  await using cli = await createCli();
  await mkdir(cli.home.file(".openclaw"));
  const path = cli.home.file(".openclaw", "openclaw.json");
  await writeFile(path, '{\n  "gateway": {\n    "mode": "local",,\n  }\n}\n', { mode: 0o600 });
  const refused = await cli.run(["gateway", "run"]);
  expect(refused.code).toBe(78);
  expect(refused.stderr).toContain(path);
  expect(refused.stderr).toMatch(/:3:\d+|line 3/);
  expect(refused.stderr).toContain("openclaw doctor --fix");
});

test("hints use the name and the profile of the command line", async () => {
  await using cli = await createCli();
  const refused = await cli.run(["--profile", "work", "gateway", "run"], {
    programName: "clawdbot",
  });
  expect(refused.code).toBe(78);
  expect(refused.stderr).toContain("clawdbot --profile work gateway run --token <token>");
});
