import { readFile, stat, writeFile, mkdir } from "node:fs/promises";
import { PassThrough } from "node:stream";
import { readConfigLoosely } from "@openclaw/config";
import { freePort } from "@openclaw/testkit";
import { expect, test, vi } from "vitest";
import { type CliFixture, createCli, startGateway, TOKEN } from "./cli-fixture.ts";

const BY_FLAGS = ["onboard", "--non-interactive", "--accept-risk"];

async function configOf(cli: CliFixture): Promise<Record<string, unknown>> {
  const path = cli.home.file(".openclaw", "openclaw.json");
  const { config } = await readConfigLoosely({ path, env: {} });
  return config;
}

test("by flags alone: loopback, a token of 48 hex characters, 0600, and the three lines at the end", async () => {
  await using cli = await createCli();
  const { code, stdout } = await cli.run([...BY_FLAGS, "--openai-api-key", "sk-of-a-test"]);
  expect(code).toBe(0);
  expect(stdout.trimEnd().split("\n").slice(-3)).toEqual([
    "✅ Gateway configured successfully",
    "✅ Channels configured: none",
    "✅ AI model configured: openai:gpt-4o-mini",
  ]);
  expect(await configOf(cli)).toMatchObject({
    gateway: {
      mode: "local",
      port: 18_789,
      bind: "loopback",
      auth: { mode: "token", token: expect.stringMatching(/^[0-9a-f]{48}$/u) },
    },
    agents: { defaults: { model: { primary: "openai/gpt-4o-mini" } } },
    auth: { profiles: { "openai:default": { provider: "openai", mode: "api_key" } } },
    wizard: { lastRunMode: "local", lastRunCommand: "onboard" },
  });
  const profiles = cli.home.file(".openclaw", "agents", "main", "agent", "auth-profiles.json");
  expect(await readFile(profiles, "utf8")).toContain("sk-of-a-test");
  for (const path of [profiles, cli.home.file(".openclaw", "openclaw.json")]) {
    // oxlint-disable-next-line no-await-in-loop
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  }
  expect((await stat(cli.home.file(".openclaw", "workspace"))).isDirectory()).toBe(true);
});

test("the config that it writes starts a Gateway, and status works with it", async () => {
  await using cli = await createCli();
  const port = await freePort();
  await cli.run([...BY_FLAGS, "--gateway-port", String(port)]);
  const running = cli.run(["gateway", "run"]);
  await vi.waitFor(() => expect(cli.live.stdout).toContain("🔒 Auth mode: token"));
  const { signal } = cli;
  await using other = await createCli();
  await mkdir(other.home.file(".openclaw"));
  const config = await readFile(cli.home.file(".openclaw", "openclaw.json"), "utf8");
  await writeFile(other.home.file(".openclaw", "openclaw.json"), config);
  expect((await other.run(["status", "--json"])).json()).toMatchObject({
    gateway: { reachable: true },
  });
  signal("SIGTERM");
  expect((await running).code).toBe(0);
});

test("--json prints one document, without a secret", async () => {
  await using cli = await createCli();
  const { json, stdout } = await cli.run([...BY_FLAGS, "--json", "--gateway-token", TOKEN]);
  expect(json()).toEqual({
    mode: "local",
    workspace: cli.home.file(".openclaw", "workspace"),
    authChoice: "skip",
    gateway: { port: 18_789, bind: "loopback", authMode: "token", tailscaleMode: "off" },
    installDaemon: false,
    daemonRuntime: "node",
    skipSkills: true,
    skipHealth: true,
  });
  expect(stdout).not.toContain(TOKEN);
});

test("a service that was asked for and cannot be had is a failure, and the way without it is told", async () => {
  await using cli = await createCli();
  const words = ["onboard", "--non-interactive", "--accept-risk", "--install-daemon"];
  // No program is found there, so no service manager either.
  const { code, stdout } = await cli.run(words, { env: { PATH: "/nonexistent" } });
  expect(code).toBe(1);
  expect(stdout).toContain("Start it: openclaw gateway run");
  expect(stdout).toContain("Gateway configured successfully");
});

test("a second time keeps the token, comments and what nobody asked about", async () => {
  await using cli = await createCli();
  await mkdir(cli.home.file(".openclaw"));
  const path = cli.home.file(".openclaw", "openclaw.json");
  const text = `{\n  // mine\n  gateway: { auth: { token: "${TOKEN}" }, ledger: { retentionMs: 1000 } },\n}\n`;
  await writeFile(path, text);
  expect((await cli.run([...BY_FLAGS, "--gateway-port", "19000"])).code).toBe(0);
  const written = await readFile(path, "utf8");
  expect(written).toContain("// mine");
  expect(written).toContain(TOKEN);
  expect(written).toContain("retentionMs: 1000");
  expect(await readFile(`${path}.bak`, "utf8")).toBe(text);
});

test("--reset begins anew, and the former text stays as a copy", async () => {
  await using cli = await createCli();
  await mkdir(cli.home.file(".openclaw"));
  const path = cli.home.file(".openclaw", "openclaw.json");
  await writeFile(path, `{ gateway: { auth: { token: "${TOKEN}" } }, ui: { seamColor: "#fff" } }`);
  expect((await cli.run([...BY_FLAGS, "--reset"])).code).toBe(0);
  expect(await readFile(path, "utf8")).not.toContain(TOKEN);
  expect(await readFile(`${path}.bak.1`, "utf8")).toContain(TOKEN);
});

test("--reset also replaces a config that cannot be read, as the error about it says", async () => {
  await using cli = await createCli();
  await mkdir(cli.home.file(".openclaw"));
  const path = cli.home.file(".openclaw", "openclaw.json");
  await writeFile(path, "{ gateway: ");
  expect((await cli.run([...BY_FLAGS, "--reset"])).code).toBe(0);
  expect(await configOf(cli)).toMatchObject({ gateway: { mode: "local" } });
  expect(await readFile(`${path}.bak.1`, "utf8")).toBe("{ gateway: ");
});

test("a second time by flags keeps how the Gateway is reached", async () => {
  await using cli = await createCli();
  await mkdir(cli.home.file(".openclaw"));
  const path = cli.home.file(".openclaw", "openclaw.json");
  const gateway = {
    mode: "local",
    port: 19_789,
    bind: "loopback",
    auth: { mode: "password", password: "a-password-that-is-there" },
    tailscale: { mode: "serve", resetOnExit: true },
  };
  const agents = { defaults: { workspace: cli.home.file("mine"), model: { primary: "a/b" } } };
  await writeFile(path, JSON.stringify({ gateway, agents }));
  expect((await cli.run(BY_FLAGS)).code).toBe(0);
  expect(await configOf(cli)).toMatchObject({ gateway, agents });
  expect(await configOf(cli)).not.toHaveProperty("gateway.auth.token");
});

test("a second time keeps a secret that is a reference to a variable", async () => {
  await using cli = await createCli();
  await mkdir(cli.home.file(".openclaw"));
  const path = cli.home.file(".openclaw", "openclaw.json");
  await writeFile(path, '{ gateway: { mode: "local", auth: { token: "${MY_TOKEN}" } } }');
  expect((await cli.run(BY_FLAGS)).code).toBe(0);
  expect(await readFile(path, "utf8")).toContain('token: "${MY_TOKEN}"');
});

test.each(["none", "trusted-proxy"])(
  "a second time by flags leaves mode %s alone",
  async (mode) => {
    await using cli = await createCli();
    await mkdir(cli.home.file(".openclaw"));
    const path = cli.home.file(".openclaw", "openclaw.json");
    const auth = { mode, trustedProxy: { userHeader: "x-user" } };
    await writeFile(path, JSON.stringify({ gateway: { mode: "local", auth } }));
    expect((await cli.run(BY_FLAGS)).code).toBe(0);
    expect(await configOf(cli)).toHaveProperty("gateway.auth", auth);
  },
);

test("a password that a variable holds stays out of the file", async () => {
  await using cli = await createCli();
  const env = { CLAWDBOT_GATEWAY_PASSWORD: "a-password-of-a-variable" };
  const args = [...BY_FLAGS, "--tailscale", "funnel", "--tailscale-reset-on-exit"];
  expect((await cli.run(args, { env })).code).toBe(0);
  expect(await configOf(cli)).toMatchObject({
    gateway: { auth: { mode: "password" }, tailscale: { mode: "funnel", resetOnExit: true } },
  });
  const text = await readFile(cli.home.file(".openclaw", "openclaw.json"), "utf8");
  expect(text).toContain("${OPENCLAW_GATEWAY_PASSWORD}");
  expect(text).not.toContain(env.CLAWDBOT_GATEWAY_PASSWORD);
});

test("remote mode writes the way there, and looks whether it works", async () => {
  await using cli = await createCli();
  await using gateway = await startGateway();
  const args = [...BY_FLAGS, "--mode", "remote", "--remote-url", gateway.url];
  const { code, stderr, stdout } = await cli.run([...args, "--remote-token", TOKEN]);
  expect(code).toBe(0);
  expect(stderr).toContain("Gateway is healthy");
  expect(stdout).toContain("✅ Gateway configured successfully");
  expect(await configOf(cli)).toMatchObject({
    gateway: { mode: "remote", remote: { url: gateway.url, token: TOKEN, transport: "direct" } },
  });
  expect((await cli.run(["status", "--json"])).json()).toMatchObject({
    gateway: { mode: "remote", reachable: true },
  });
});

test.each(["local", "remote"])(
  "a password that looks like a reference is taken literally: %s",
  async (mode) => {
    await using cli = await createCli();
    const password = "$${HOME}-and-${NOWHERE}";
    const place = ["--mode", "remote", "--remote-url", "wss://one.example", "--skip-health"];
    const args =
      mode === "local"
        ? ["--gateway-password", password]
        : [...place, "--remote-password", password];
    expect((await cli.run([...BY_FLAGS, ...args])).code).toBe(0);
    const section = mode === "local" ? "gateway.auth" : "gateway.remote";
    expect(await configOf(cli)).toHaveProperty(`${section}.password`, password);
  },
);

test("remote mode keeps pin and SSH target while the URL stays, and drops them when it changes", async () => {
  await using cli = await createCli();
  await mkdir(cli.home.file(".openclaw"));
  const pin = "ab".repeat(32);
  const remote = { url: "wss://one.example", transport: "direct", tlsFingerprint: pin };
  const path = cli.home.file(".openclaw", "openclaw.json");
  await writeFile(path, JSON.stringify({ gateway: { mode: "remote", remote } }));
  const to = (url: string) =>
    cli.run([...BY_FLAGS, "--skip-health", "--mode", "remote", "--remote-url", url]);
  await to("wss://one.example");
  expect(await configOf(cli)).toMatchObject({ gateway: { remote: { tlsFingerprint: pin } } });
  await to("wss://two.example");
  expect(await configOf(cli)).not.toHaveProperty("gateway.remote.tlsFingerprint");
});

test.each([
  ["without --accept-risk", ["onboard", "--non-interactive"], /--accept-risk/u],
  ["without anybody to ask", ["onboard"], /nobody to ask/u],
  ["remote without a URL", [...BY_FLAGS, "--mode", "remote"], /--remote-url/u],
  ["funnel without a password", [...BY_FLAGS, "--tailscale", "funnel"], /--gateway-password/u],
  [
    "serve beside bind lan",
    [...BY_FLAGS, "--tailscale", "serve", "--gateway-bind", "lan"],
    /loopback/u,
  ],
  [
    "a provider without its key",
    [...BY_FLAGS, "--auth-choice", "openai-api-key"],
    /--openai-api-key/u,
  ],
  ["a word that is none", [...BY_FLAGS, "--gateway-auth", "secret"], /token, password/u],
])("%s it is refused, and nothing is written", async (_title, args, says) => {
  await using cli = await createCli();
  const { code, stderr } = await cli.run(args);
  expect(code).toBe(1);
  expect(stderr).toMatch(says);
  await expect(stat(cli.home.file(".openclaw"))).rejects.toThrow(/ENOENT/u);
});

test("a client is not turned into a Gateway by a word that was left out", async () => {
  await using cli = await createCli();
  await mkdir(cli.home.file(".openclaw"));
  const path = cli.home.file(".openclaw", "openclaw.json");
  const text = '{ gateway: { mode: "remote", remote: { url: "wss://gateway.example" } } }';
  await writeFile(path, text);
  const { code, stderr } = await cli.run(BY_FLAGS);
  expect(code).toBe(1);
  expect(stderr).toContain("--mode local");
  expect(await readFile(path, "utf8")).toBe(text);
});

test("an unreadable config is not taken for an empty one", async () => {
  await using cli = await createCli();
  await mkdir(cli.home.file(".openclaw"));
  const path = cli.home.file(".openclaw", "openclaw.json");
  await writeFile(path, "{ gateway: ");
  const { code, stderr } = await cli.run(BY_FLAGS);
  expect(code).toBe(1);
  expect(stderr).toContain("invalid");
  expect(await readFile(path, "utf8")).toBe("{ gateway: ");
});

test("setup makes a config and a workspace, and no more", async () => {
  await using cli = await createCli();
  const workspace = cli.home.file("work");
  expect((await cli.run(["setup", "--workspace", workspace])).code).toBe(0);
  expect(await configOf(cli)).toEqual({
    gateway: { mode: "local" },
    agents: { defaults: { workspace } },
  });
});

/** A person who answers each question with Return, or with what is given for it. */
function personWho(answers: Readonly<Record<string, string>>) {
  const input = new PassThrough();
  const output = new PassThrough();
  let shown = "";
  const asked = new Set<string>();
  output.on("data", (chunk: Buffer) => {
    shown += chunk.toString();
    for (const [question, keys] of Object.entries(answers)) {
      if (asked.has(question) || !shown.includes(question)) continue;
      asked.add(question);
      // After the question is drawn: what is typed before it belongs to the one before.
      setImmediate(() => input.write(keys));
    }
  });
  return { terminal: { input, output }, shown: () => shown };
}

const DOWN = "\u001B[B";

test("by questions: the quick start is Return all the way", async () => {
  await using cli = await createCli();
  const person = personWho({
    "Go on?": "\r",
    "Where is the Gateway?": "\r",
    "How much do you want to decide?": "\r",
    "Which provider runs": "\r",
    "Connect a Telegram bot?": "\r",
    "Keep the Gateway running": "n",
  });
  const { code, stdout } = await cli.run(["onboard"], { terminal: person.terminal });
  expect(code).toBe(0);
  expect(stdout).toContain("✅ Gateway configured successfully");
  expect(await configOf(cli)).toMatchObject({ gateway: { bind: "loopback" } });
});

test("by questions: Ctrl-C at any of them changes nothing", async () => {
  await using cli = await createCli();
  const person = personWho({ "Go on?": "\r", "Where is the Gateway?": "\u0003" });
  const { code, stderr } = await cli.run(["onboard"], { terminal: person.terminal });
  expect(code).toBe(130);
  expect(stderr).toContain("nothing was changed");
  await expect(stat(cli.home.file(".openclaw"))).rejects.toThrow(/ENOENT/u);
});

test("configure changes what was asked about, and leaves the rest", async () => {
  await using cli = await createCli();
  await cli.run([...BY_FLAGS, "--gateway-token", TOKEN]);
  const person = personWho({
    Port: "\u007F".repeat(5) + "19500\r",
    "Who may reach the port?": "\r",
    "Offer it through Tailscale?": "\r",
    "What do clients prove": `${DOWN}\r`,
    Password: "a-password-that-was-typed\r",
  });
  const { code } = await cli.run(["configure", "--section", "gateway"], {
    terminal: person.terminal,
  });
  expect(code).toBe(0);
  expect(await configOf(cli)).toMatchObject({
    gateway: {
      port: 19_500,
      auth: { mode: "password", token: TOKEN, password: "a-password-that-was-typed" },
    },
  });
  expect(person.shown()).not.toContain("a-password-that-was-typed");
});
