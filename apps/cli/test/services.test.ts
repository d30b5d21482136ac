import { existsSync } from "node:fs";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { freePort, startProcess } from "@openclaw/testkit";
import { expect, test, vi } from "vitest";
import { type CliFixture, createCli } from "./cli-fixture.ts";
import { createFakeSystemd } from "./fake-systemd.ts";

// Gateways are started from their source here, several of them in one test.
vi.setConfig({ testTimeout: 120_000 });

const UNIT = "openclaw-gateway.service";
const isLinux = process.platform === "linux";
if (!isLinux) process.stderr.write("skipped: the stand-in of the tests is one of systemd\n");

/** A command line whose systemd is the stand-in, and the port of its Gateway. */
async function createHost() {
  const cli = await createCli();
  const systemd = await createFakeSystemd(cli.home);
  const port = await freePort();
  return {
    cli,
    systemd,
    port,
    config: cli.home.file(".openclaw", "openclaw.json"),
    run: (args: readonly string[], env: Record<string, string> = {}) =>
      cli.run(args, { env: { ...systemd.env, ...env } }),
    /** Installs a Gateway that really runs. */
    install(args: readonly string[] = [], env: Record<string, string> = {}) {
      const flags = ["--port", String(port), "--runtime-path", systemd.node];
      return this.run(["gateway", "install", "--json", ...flags, ...args], env);
    },
    async [Symbol.asyncDispose]() {
      await systemd[Symbol.asyncDispose]();
      await cli[Symbol.asyncDispose]();
    },
  };
}

/** The program from its source, under a name that it is installed by. */
async function startForeground(cli: CliFixture, args: readonly string[]) {
  const script = cli.home.file("openclaw.mjs");
  const main = fileURLToPath(new URL("../src/main.ts", import.meta.url));
  await writeFile(script, `await import(${JSON.stringify(main)});\n`);
  const child = startProcess(process.execPath, ["--conditions=@openclaw/source", script, ...args], {
    env: { HOME: cli.home.path },
  });
  await child.line("WebSocket:", { deadlineMs: 20_000 });
  return child;
}

test.runIf(isLinux)(
  "a Gateway is installed on a bare machine, answers, restarts, stops, starts and is uninstalled",
  async () => {
    await using host = await createHost();
    const installed = await host.install();
    expect(installed.json()).toEqual({
      ok: true,
      action: "install",
      result: "installed",
      service: { label: UNIT, loaded: true, loadedText: "enabled", notLoadedText: "disabled" },
      warnings: [expect.stringContaining("sudo loginctl enable-linger")],
      path: host.cli.home.file(".config/systemd/user", UNIT),
    });
    expect(installed.code).toBe(0);

    // It was started, so its secret was found: in the config, where the commands find it too.
    const { gateway } = JSON.parse(await readFile(host.config, "utf8")) as {
      gateway: { mode: string; port: number; auth: { token: string } };
    };
    expect(gateway).toMatchObject({ mode: "local", port: host.port });
    expect((await stat(host.config)).mode & 0o777).toBe(0o600);
    const { token } = gateway.auth;
    expect(token.length).toBeGreaterThan(20);
    expect(await host.systemd.unit(UNIT)).not.toContain(token);
    expect(installed.stdout + installed.stderr).not.toContain(token);

    // No flag: the port of the service is the one that counts.
    const status = await host.run(["gateway", "status", "--json", "--require-rpc"]);
    expect(status.code).toBe(0);
    expect(status.json()).toMatchObject({
      service: {
        label: UNIT,
        loaded: true,
        command: {
          environment: {
            OPENCLAW_CONFIG_PATH: host.config,
            OPENCLAW_GATEWAY_PORT: String(host.port),
          },
        },
        runtime: { status: "running", state: "active", pid: expect.any(Number) },
        configAudit: { ok: true },
      },
      config: { daemon: { path: host.config, valid: true }, mismatch: false },
      gateway: { port: host.port, portSource: "service args" },
      rpc: { ok: true },
      extraServices: [],
    });

    const overview = await host.run(["status", "--json"]);
    expect(overview.json()).toMatchObject({
      gatewayService: {
        label: UNIT,
        installed: true,
        loadedText: "enabled",
        runtimeShort: expect.stringMatching(/^running \(pid \d+\)$/),
      },
      nodeService: { installed: false, loadedText: "not installed", runtimeShort: null },
    });

    const restarted = await host.run(["gateway", "restart"]);
    expect(restarted).toMatchObject({ code: 0, stderr: "" });
    expect(restarted.stdout).toBe(
      `Restarted ${UNIT}.\n📡 WebSocket: ws://127.0.0.1:${host.port}\n🔒 Auth mode: token\n`,
    );

    const stopped = await host.run(["gateway", "stop", "--json"]);
    expect(stopped.json()).toMatchObject({
      ok: true,
      action: "stop",
      result: "stopped",
      service: { label: UNIT, loaded: true },
    });
    const down = await host.run(["gateway", "status", "--no-probe"]);
    expect(down.stdout).toMatch(/Runtime:\s+stopped \(state inactive\/dead, last exit 0, exited\)/);
    expect(down.stdout).toContain("❌ Not running");

    const started = await host.run(["gateway", "start", "--json"]);
    expect(started.json()).toMatchObject({
      ok: true,
      action: "start",
      result: "started",
      url: `ws://127.0.0.1:${host.port}`,
    });

    const gone = await host.run(["gateway", "uninstall"]);
    expect(gone).toMatchObject({ code: 0, stderr: "" });
    expect(gone.stdout).toBe(`Uninstalled ${UNIT}.\nUndo: openclaw gateway install\n`);
    expect(existsSync(host.cli.home.file(".config/systemd/user", UNIT))).toBe(false);
    expect((await host.run(["gateway", "uninstall", "--json"])).json()).toMatchObject({
      ok: true,
      result: "not-installed",
    });
  },
);

test.runIf(isLinux)("a service that is there stays as it is without --force", async () => {
  await using host = await createHost();
  await host.install();
  const before = await host.systemd.unit(UNIT);
  const again = await host.install(["--token", "another-token-of-mine"]);
  expect(again).toMatchObject({ code: 0 });
  expect(again.json()).toMatchObject({
    ok: true,
    result: "already-installed",
    hints: ["To replace it: openclaw gateway install --force"],
  });
  expect(await host.systemd.unit(UNIT)).toBe(before);
  expect(await readFile(host.config, "utf8")).not.toContain("another-token-of-mine");
  expect((await host.install(["--force"])).json()).toMatchObject({ result: "updated" });
});

test.runIf(isLinux)(
  "a token that is given goes into the config, and replacing it there is enough",
  async () => {
    await using host = await createHost();
    await host.install(["--token", "the-first-token"]);
    const health = () =>
      host.run(["health", "--json", "--port", String(host.port)]).then(({ code }) => code);
    expect(await health()).toBe(0);
    const config = await readFile(host.config, "utf8");
    await writeFile(host.config, config.replace("the-first-token", "the-second-token"));
    expect(await health()).toBe(1);
    await host.run(["gateway", "restart"]);
    expect(await health()).toBe(0);
  },
);

test.runIf(isLinux)(
  "what only the shell has is kept in a private file, for as long as the service is there",
  async () => {
    await using host = await createHost();
    await mkdir(host.cli.home.file(".openclaw"));
    await writeFile(
      host.config,
      '{gateway:{mode:"local",auth:{mode:"password",password:"${CLAWDBOT_GATEWAY_PASSWORD}"}}}',
    );
    const result = await host.run(
      ["gateway", "install", "--port", String(host.port), "--runtime-path", host.systemd.node],
      { CLAWDBOT_GATEWAY_PASSWORD: "of-the-shell" },
    );
    expect(result.code).toBe(0);
    const path = host.cli.home.file(".openclaw/service/gateway.env");
    expect(result.stdout).toContain(`Keeps CLAWDBOT_GATEWAY_PASSWORD in ${path}`);
    expect(result.stdout + result.stderr).not.toContain("of-the-shell");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await host.systemd.unit(UNIT)).not.toContain("of-the-shell");
    // It was started with the password of the file.
    const health = ["health", "--json", "--url", `ws://127.0.0.1:${host.port}`];
    expect((await host.run([...health, "--password", "of-the-shell"])).code).toBe(0);
    await host.run(["gateway", "uninstall"]);
    expect(existsSync(path)).toBe(false);
  },
);

test.runIf(isLinux)("a Gateway that refuses its configuration is not called started", async () => {
  await using host = await createHost();
  await host.install();
  await host.run(["gateway", "stop"]);
  await writeFile(host.config, '{"gateway":{"mode":"local","auth":{"mode":"none"},"bind":"lan"}}');
  const started = await host.run(["gateway", "start", "--json"]);
  expect(started.code).toBe(1);
  expect(started.json()).toMatchObject({
    ok: false,
    action: "start",
    error: expect.stringContaining("exit code 78"),
    hints: [expect.stringContaining(`journalctl --user -u ${UNIT}`), expect.anything()],
  });
  const human = await host.run(["gateway", "restart"]);
  expect(human).toMatchObject({ code: 1, stdout: "" });
  expect(human.stderr).toContain("Error: the Gateway was started and has refused");
});

test.runIf(isLinux).each<[string, Record<string, string>, string]>([
  ["declared elsewhere", { OPENCLAW_NIX_MODE: "1" }, "OPENCLAW_NIX_MODE"],
  ["of another state directory", { OPENCLAW_STATE_DIR: "/tmp/elsewhere" }, "profile of its own"],
  ["of another home", { OPENCLAW_HOME: "/tmp/elsewhere" }, "home directory"],
])("a service %s is not installed", async (_name, env, words) => {
  await using host = await createHost();
  for (const verb of ["install", "uninstall"]) {
    // oxlint-disable-next-line no-await-in-loop
    const result = await host.run(["gateway", verb, "--json"], env);
    expect(result.code).toBe(1);
    expect(result.json()).toMatchObject({ ok: false, action: verb });
    expect(result.stdout).toContain(words);
  }
  expect(existsSync(host.cli.home.file(".config"))).toBe(false);
});

test.runIf(isLinux)("a machine that is a client is not turned into a Gateway", async () => {
  await using host = await createHost();
  await mkdir(host.cli.home.file(".openclaw"));
  await writeFile(host.config, '{"gateway":{"mode":"remote","remote":{"url":"wss://gw.example"}}}');
  const result = await host.install();
  expect(result.code).toBe(1);
  expect(result.json()).toMatchObject({
    error: expect.stringContaining("gateway.mode is remote"),
    hints: [expect.anything(), expect.stringContaining("--allow-unconfigured")],
  });
});

test.runIf(isLinux)("without a user bus the refusal advises, and nothing is written", async () => {
  await using host = await createHost();
  await host.systemd.breakBus();
  const result = await host.install();
  expect(result.code).toBe(1);
  expect(result.json()).toMatchObject({
    ok: false,
    action: "install",
    code: "USER_BUS_UNAVAILABLE",
    hints: expect.arrayContaining([
      expect.stringContaining("container"),
      expect.stringContaining("SSH"),
      expect.stringContaining("enable-linger"),
      expect.stringContaining("systemctl --user status"),
    ]),
  });
  expect(existsSync(host.cli.home.file(".config"))).toBe(false);
  expect(existsSync(host.config)).toBe(false);
});

test.runIf(isLinux)("a profile has a service of its own", async () => {
  await using host = await createHost();
  const result = await host.run([
    ...["--profile", "work", "gateway", "install", "--json", "--port", String(host.port)],
    ...["--runtime-path", host.systemd.node],
  ]);
  expect(result.json()).toMatchObject({ service: { label: "openclaw-gateway-work.service" } });
  const unit = await host.systemd.unit("openclaw-gateway-work.service");
  expect(unit).toContain("Environment=OPENCLAW_PROFILE=work\n");
  expect((await host.run(["gateway", "status", "--json", "--no-probe"])).json()).toMatchObject({
    service: { label: UNIT, loaded: false, command: null },
  });
});

test("what is not installed is neither started nor stopped, with JSON or without", async () => {
  await using cli = await createCli();
  const env = { PATH: "/nonexistent" };
  for (const [group, verbs] of [
    ["gateway", ["stop", "restart"]],
    ["node", ["start", "stop", "restart"]],
  ] as const) {
    for (const verb of verbs) {
      // oxlint-disable-next-line no-await-in-loop
      const json = await cli.run([group, verb, "--json"], { env });
      expect(json.code).toBe(1);
      expect(json.json()).toMatchObject({
        ok: false,
        action: verb,
        result: "not-loaded",
        hints: [
          expect.stringContaining(`${group} install`),
          expect.stringContaining(`${group} run`),
        ],
      });
      // oxlint-disable-next-line no-await-in-loop
      const human = await cli.run([group, verb], { env });
      expect(human.code).toBe(1);
      expect(human.stdout).toContain("is not installed");
    }
  }
});

test("gateway start --json never becomes a Gateway", async () => {
  await using cli = await createCli();
  const env = { PATH: "/nonexistent" };
  const result = await cli.run(["gateway", "start", "--json"], { env });
  expect(result.code).toBe(1);
  expect(result.json()).toMatchObject({ ok: false, action: "start", result: "not-loaded" });
  const both = await cli.run(["gateway", "start", "--json", "--foreground"], { env });
  expect(both.json()).toMatchObject({ error: { type: "cli_error", kind: "usage" } });
});

test("gateway start without a service runs in the foreground, with the flags of run and its refusals", async () => {
  await using cli = await createCli();
  const env = { PATH: "/nonexistent" };
  const refused = await cli.run(["gateway", "start"], { env });
  expect(refused.code).toBe(78);
  expect(refused.stderr).toContain("there is no config file");
  const running = cli.run(["gateway", "start", "--port", "0", "--auth", "none"], { env });
  await expect.poll(() => cli.live.stdout).toContain("🔒 Auth mode: none");
  cli.signal("SIGTERM");
  expect(await running).toMatchObject({ code: 0 });
  expect((await running).stdout).toMatch(/^🚀 Gateway starting\.\.\.\n📡 WebSocket: ws:\/\/127/);
});

test.runIf(isLinux)(
  "gateway start --foreground runs here although a service is installed",
  async () => {
    await using host = await createHost();
    await host.install();
    await host.run(["gateway", "stop"]);
    const running = host.run(["gateway", "start", "--foreground", "--port", "0"]);
    await expect.poll(() => host.cli.live.stdout).toContain("🔒 Auth mode: token");
    host.cli.signal("SIGTERM");
    expect((await running).code).toBe(0);
  },
);

test.runIf(isLinux)("a Gateway without a service restarts in its process, and stops", async () => {
  await using cli = await createCli();
  await using gateway = await startForeground(cli, [
    "gateway",
    "run",
    "--port",
    "0",
    "--auth",
    "none",
  ]);
  const env = { PATH: "/nonexistent" };
  const restarted = await cli.run(["gateway", "restart"], { env });
  expect(restarted).toMatchObject({ code: 0, stderr: "" });
  expect(restarted.stdout).toMatch(
    new RegExp(
      String.raw`^Restarted .* \(pid ${gateway.pid}\)\.\n📡 WebSocket: ws://127\.0\.0\.1:\d+\n`,
    ),
  );
  expect(gateway.stdout.match(/Gateway starting/g)).toHaveLength(2);
  const stopped = await cli.run(["gateway", "stop", "--json"], { env });
  expect(stopped.json()).toMatchObject({ ok: true, result: "stopped", pid: gateway.pid });
  expect(await gateway.exited).toEqual({ code: 0, signal: null });
});

test.runIf(isLinux)("a process that has only the number of a Gateway is left alone", async () => {
  await using cli = await createCli();
  await using bystander = startProcess("sleep", ["1000"]);
  await mkdir(cli.home.file(".openclaw/gateway"), { recursive: true });
  const instance = {
    pid: bystander.pid,
    port: 1,
    url: "ws://127.0.0.1:1",
    startedAtMs: Date.now(),
  };
  await writeFile(cli.home.file(".openclaw/gateway/instance.json"), JSON.stringify(instance));
  const env = { PATH: "/nonexistent" };
  expect((await cli.run(["gateway", "stop", "--json"], { env })).json()).toMatchObject({
    result: "not-loaded",
  });
  expect((await cli.run(["gateway", "restart", "--json"], { env })).code).toBe(1);
  expect(bystander.isRunning).toBe(true);
});

test.runIf(isLinux)("a node is installed with what was typed, and with no secret", async () => {
  await using host = await createHost();
  const env = { OPENCLAW_GATEWAY_TOKEN: "of-the-shell" };
  const flags = ["--host", "127.0.0.1", "--port", String(host.port), "--display-name", "Pi"];
  const args = ["node", "install", "--json", "--runtime-path", host.systemd.node, ...flags];
  const installed = await host.run(args, env);
  expect(installed.json()).toMatchObject({
    ok: true,
    action: "install",
    result: "installed",
    service: { label: "openclaw-node.service", loaded: true },
  });
  const unit = await host.systemd.unit("openclaw-node.service");
  expect(unit).toMatch(
    new RegExp(`node run --host 127.0.0.1 --port ${host.port} --display-name Pi\n`),
  );
  expect(unit).not.toContain("of-the-shell");
  const path = host.cli.home.file(".openclaw/service/node.env");
  expect(await readFile(path, "utf8")).toBe("OPENCLAW_GATEWAY_TOKEN='of-the-shell'\n");

  const status = await host.run(["node", "status", "--json"]);
  expect(Object.keys(status.json())).toEqual(["service"]);
  expect(status.json()["service"]).toMatchObject({
    label: "openclaw-node.service",
    loaded: true,
    loadedText: "enabled",
    notLoadedText: "disabled",
    command: { sourcePath: host.cli.home.file(".config/systemd/user/openclaw-node.service") },
    runtime: { status: "running" },
  });
  expect((await host.run(["node", "status"])).stdout).toMatch(
    /Service:\s+openclaw-node\.service \(enabled\)[^]*✅ Running/,
  );
  for (const [verb, result] of [
    ["stop", "stopped"],
    ["start", "started"],
    ["restart", "restarted"],
  ]) {
    // oxlint-disable-next-line no-await-in-loop
    expect((await host.run(["node", verb ?? "", "--json"])).json()).toMatchObject({
      ok: true,
      result,
    });
  }
  await host.run(["node", "uninstall"]);
  expect(existsSync(path)).toBe(false);
  expect((await host.run(["node", "status"])).stdout).toContain("(not installed)");
});

test.runIf(isLinux)("a path that was typed holds for a service in another folder", async () => {
  await using host = await createHost();
  const flags = ["--ssh", "me@box", "--ssh-identity", "keys/id", "--ssh-known-hosts", "~/hosts"];
  await host.run(["node", "install", "--runtime-path", host.systemd.node, ...flags]);
  const { home } = host.cli;
  expect(await host.systemd.unit("openclaw-node.service")).toContain(
    ` node run --ssh me@box --ssh-identity ${home.file("keys/id")} --ssh-known-hosts ${home.file("hosts")}\n`,
  );
});

test.runIf(isLinux)(
  "what former releases and tutorials left is named with the way to be rid of it",
  async () => {
    await using host = await createHost();
    const units = host.cli.home.file(".config/systemd/user");
    await mkdir(units, { recursive: true });
    await writeFile(
      `${units}/clawdbot-ssh-tunnel.service`,
      "[Service]\nType=simple\nExecStart=/usr/bin/ssh -N -f clawdbot-remote\nRestart=on-failure\n",
    );
    await writeFile(
      `${units}/moltbot-gateway.service`,
      `[Service]\nExecStart=/usr/bin/moltbot gateway\nEnvironment="MOLTBOT_GATEWAY_TOKEN=hush"\n`,
    );
    const json = await host.run(["gateway", "status", "--json", "--no-probe"]);
    expect(json.json()).toMatchObject({
      extraServices: [
        {
          label: "clawdbot-ssh-tunnel.service",
          detail: expect.stringContaining("Address already in use"),
          scope: "user",
        },
        {
          label: "moltbot-gateway.service",
          detail: expect.stringContaining("It holds secrets: MOLTBOT_GATEWAY_TOKEN"),
          scope: "user",
        },
      ],
    });
    const human = await host.run(["gateway", "status", "--no-probe"]);
    expect(human.stdout).toContain("systemctl --user disable --now moltbot-gateway.service && rm");
    expect(json.stdout + human.stdout).not.toContain("hush");
  },
);

test("the bun that cannot run it is refused, and a runtime that is not there", async () => {
  await using cli = await createCli();
  const bun = await cli.run(["gateway", "install", "--json", "--runtime", "bun"]);
  expect(bun.json()).toMatchObject({ error: { kind: "usage" } });
  const missing = await cli.run([
    "node",
    "install",
    "--json",
    "--runtime-path",
    "/nonexistent/node",
  ]);
  expect(missing.json()).toMatchObject({ error: { kind: "usage" } });
});
