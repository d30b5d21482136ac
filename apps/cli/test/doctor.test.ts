import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { existsSync } from "node:fs";
import {
  chmod,
  chown,
  mkdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { dirname } from "node:path";
import { PassThrough } from "node:stream";
import { promisify } from "node:util";
import { createMemoryIo } from "@openclaw/app-kit/testing";
import { readConfigLoosely, resolvePaths } from "@openclaw/config";
import { lanAddresses } from "@openclaw/exposure";
import { createSqliteStore } from "@openclaw/gateway-core";
import { fakeTailscale, freePort, startProcess, temporaryDirectory } from "@openclaw/testkit";
import { describe, expect, test, vi } from "vitest";
import { checks } from "../src/doctor/all-checks.ts";
import { lowDisk } from "../src/doctor/checks/state-checks.ts";
import { gatherDoctorFacts, type Machine, THIS_MACHINE } from "../src/doctor/facts.ts";
import type { Terminal } from "../src/io.ts";
import { createContext } from "../src/program/command-context.ts";
import { doctorCheckCommand } from "../src/program/doctor-check-command.ts";
import { type CliOptions, createCli, startGateway, TOKEN } from "./cli-fixture.ts";
import { createFakeSystemd } from "./fake-systemd.ts";

// One of them installs a service, whose Gateway starts from its source.
vi.setConfig({ testTimeout: 120_000 });

const isLinux = process.platform === "linux";
if (!isLinux) process.stderr.write("skipped: the stand-in of the tests is one of systemd\n");

interface Reported {
  code: string;
  severity: string;
  title: string;
  evidence: string[];
  fix: string;
  fixable: boolean;
  fixed?: boolean;
  undo?: string;
  failure?: string;
}

interface Report {
  ok: boolean;
  checks: Reported[];
  summary: Record<string, number>;
}

/** A machine with a home, its state directory, and a stand-in of systemd that knows no service. */
async function createHost(config?: object | string, env: Record<string, string> = {}) {
  const cli = await createCli();
  const systemd = await createFakeSystemd(cli.home);
  const state = cli.home.file(".openclaw");
  const path = `${state}/openclaw.json`;
  const base = { ...systemd.env, ...env };
  if (config !== undefined) {
    await mkdir(state, { mode: 0o700 });
    await writeFile(path, typeof config === "string" ? config : JSON.stringify(config), {
      mode: 0o600,
    });
  }
  const run = (args: readonly string[], options: CliOptions = {}) =>
    cli.run(args, { ...options, env: { ...base, ...options.env } });
  return {
    cli,
    systemd,
    state,
    config: path,
    file: (name: string) => `${state}/${name}`,
    run,
    async report(...args: string[]): Promise<Report> {
      const { code, json } = await run(["doctor", "--json", ...args]);
      expect(code).toBe(0);
      return json() as unknown as Report;
    },
    /** Puts a file into the home, 0600 in folders that are 0700. */
    async put(name: string, text: string): Promise<string> {
      const file = cli.home.file(name);
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await writeFile(file, text, { mode: 0o600 });
      return file;
    },
    async [Symbol.asyncDispose]() {
      await systemd[Symbol.asyncDispose]();
      await cli[Symbol.asyncDispose]();
    },
  };
}

type Host = Awaited<ReturnType<typeof createHost>>;

const LOCAL = { gateway: { mode: "local", auth: { token: TOKEN } } };

function local(gateway: object, more: object = {}): object {
  return { gateway: { ...LOCAL.gateway, ...gateway }, ...more };
}

/** The one finding of a code. */
function found({ checks }: Pick<Report, "checks">, code: string): Reported {
  const [check] = checks.filter((one) => one.code === code);
  if (check === undefined) throw new Error(`${code} is not in ${codes({ checks }).join()}`);
  return check;
}

function codes({ checks }: Pick<Report, "checks">): string[] {
  return checks.filter(({ fixed }) => fixed !== true).map(({ code }) => code);
}

/** Runs a command that was given as the way back, as a person would. */
async function type(host: Host, command: string): Promise<void> {
  const { PATH } = host.systemd.env;
  await promisify(execFile)("sh", ["-c", command], { env: { HOME: host.cli.home.path, PATH } });
}

/** That `--fix` cures it, and that the way back which it names brings it back. */
async function cured(host: Host, code: string, ...args: string[]): Promise<Reported> {
  const before = found(await host.report("--only", code), code);
  expect(before).toMatchObject({ fixable: true });
  const fixed = found(await host.report("--fix", "--only", code, ...args), code);
  expect(fixed).toMatchObject({ code, fixed: true, undo: expect.any(String) });
  expect(codes(await host.report("--only", code))).toEqual([]);
  return fixed;
}

async function curedAndUndone(host: Host, code: string, ...args: string[]): Promise<Reported> {
  const fixed = await cured(host, code, ...args);
  await type(host, fixed.undo ?? "");
  expect(codes(await host.report("--only", code))).toContain(code);
  return fixed;
}

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

test("a healthy machine has no findings", async () => {
  await using gateway = await startGateway();
  await using host = await createHost(local({ port: gateway.port }));
  await host.put(".openclaw/.env", "NOTHING=special\n");
  const report = await host.report();
  expect(report.checks).toEqual([]);
  expect(report).toMatchObject({ ok: true, summary: { error: 0, warn: 0, info: 0, fixed: 0 } });
  const { code, stdout } = await host.run(["doctor", "--lint"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Doctor\nEverything is well \(\d+ checks\)\.\n$/u);
});

test("a machine where nothing was set up yet is told to be onboarded, and nothing is written", async () => {
  await using host = await createHost();
  const report = await host.report("--fix");
  expect(report.checks).toMatchObject([{ code: "config.missing", fix: "openclaw onboard" }]);
  expect(report.ok).toBe(true);
  expect(existsSync(host.state)).toBe(false);
});

describe("config", () => {
  test("config.unreadable names file, line, and what to do", async () => {
    await using host = await createHost(`{\n  gateway: {\n    mode: "local"\n    port: 1\n`);
    const finding = found(await host.report(), "config.unreadable");
    expect(finding).toMatchObject({ severity: "error", fixable: false });
    expect(finding.evidence.join("\n")).toMatch(/line 4|:4/u);
    expect(finding.fix).toContain(host.config);
    expect(finding.fix).toContain("openclaw config validate");
  });

  test("config.invalid names each key with its line and the nearest one", async () => {
    await using host = await createHost(
      `{\n  gateway: {\n    mode: "local",\n    prot: 18789,\n    bind: "everywhere",\n  },\n}\n`,
    );
    const { evidence } = found(await host.report(), "config.invalid");
    const text = evidence.join("\n");
    expect(text).toMatch(/openclaw\.json:4: gateway\.prot: .*gateway\.port/u);
    expect(text).toMatch(/openclaw\.json:5: gateway\.bind/u);
  });

  test("config.last_good: --fix goes back to the last text that was right, and keeps the broken one", async () => {
    await using host = await createHost(LOCAL);
    await host.run(["config", "set", "gateway.port", "19001"]);
    const good = await readFile(host.config, "utf8");
    await writeFile(host.config, "{gateway: ", { mode: 0o600 });
    expect(codes(await host.report("--only", "config"))).toEqual([
      "config.unreadable",
      "config.last_good",
    ]);
    const fixed = await curedAndUndone(host, "config.last_good");
    expect(await readFile(host.config, "utf8")).toBe("{gateway: ");
    await host.report("--fix");
    expect(await readFile(host.config, "utf8")).toBe(good);
    expect(fixed.undo).toContain(`${host.config}.broken`);
  });

  test("config.legacy_keys are shown as a diff, rewritten with comments kept, and come back by the undo", async () => {
    const text = `{\n  // mine\n  gateway: { mode: "local", token: "${TOKEN}" },\n  telegram: { enabled: true },\n}\n`;
    await using host = await createHost(text);
    const report = await host.report();
    const finding = found(report, "config.legacy_keys");
    expect(finding.evidence).toEqual([
      host.config,
      "- gateway.token",
      "+ gateway.auth.token",
      "- telegram",
      "+ channels.telegram",
    ]);
    // What they cause is not told twice.
    expect(codes(report)).not.toContain("config.invalid");
    await curedAndUndone(host, "config.legacy_keys");
    expect(await readFile(host.config, "utf8")).toBe(text);
    await host.report("--fix");
    const written = await readFile(host.config, "utf8");
    expect(written).toContain("// mine");
    expect(written).not.toContain("gateway: { token");
  });

  test("config.rival: the tutorial's file that nobody reads becomes a link to the one that counts", async () => {
    await using host = await createHost(LOCAL);
    const rival = await host.put(".clawdbot/clawdbot.json", `{gateway:{port:19000}}`);
    const finding = found(await host.report(), "config.rival");
    expect(finding).toMatchObject({
      evidence: [`read: ${host.config}`, `not read: ${rival}`],
      fix: `diff ${rival} ${host.config}`,
    });
    await curedAndUndone(host, "config.rival");
    expect(await readFile(rival, "utf8")).toBe(`{gateway:{port:19000}}`);
    await host.report("--fix");
    expect(await readlink(rival)).toBe(host.config);
  });

  test("config.warning: a variable that is not set", async () => {
    await using host = await createHost(local({ auth: { token: "${HOUSE_TOKEN}" } }));
    const { evidence } = found(await host.report(), "config.warning");
    expect(evidence[0]).toContain("${HOUSE_TOKEN}, which is not set");
  });

  test("config.mode_unset: a machine that is set up for a Gateway gets its mode", async () => {
    await using host = await createHost({ gateway: { auth: { token: TOKEN } } });
    expect(found(await host.report(), "config.mode_unset").fix).toBe(
      "openclaw config set gateway.mode local",
    );
    await curedAndUndone(host, "config.mode_unset");
  });

  test("a machine that only uses a Gateway needs no mode", async () => {
    await using host = await createHost({ logging: { level: "info" } });
    expect(codes(await host.report())).not.toContain("config.mode_unset");
  });

  test("config.unconfirmed_change says until when, and shows no text of it", async () => {
    await using host = await createHost(LOCAL);
    const record = {
      id: "1",
      configPath: host.config,
      formerText: `{"token":"${TOKEN}"}`,
      newText: "{}",
      confirmMs: 60_000,
    };
    const path = ".openclaw/gateway/config-change.json";
    await host.put(path, JSON.stringify({ ...record, expiresAtMs: Date.now() + 60_000 }));
    const waiting = found(await host.report(), "config.unconfirmed_change");
    expect(waiting.fix).toContain("openclaw health");
    expect(JSON.stringify(waiting)).not.toContain(TOKEN);
    await host.put(path, JSON.stringify({ ...record, expiresAtMs: 1 }));
    expect(found(await host.report(), "config.unconfirmed_change").fix).toBe(
      "openclaw gateway restart",
    );
    await host.put(path, "{");
    expect(found(await host.report(), "config.unconfirmed_change").title).toContain(
      "cannot be read",
    );
  });
});

describe("state", () => {
  test("state.legacy_location: --fix moves it and leaves a link, --undo-migration moves it back", async () => {
    await using host = await createHost();
    const old = host.cli.home.file(".clawdbot");
    await host.put(".clawdbot/clawdbot.json", JSON.stringify(LOCAL));
    expect(found(await host.report(), "state.legacy_location").evidence[0]).toBe(
      `moves ${old} to ${host.state}`,
    );
    // Reading alone moves nothing.
    expect(existsSync(host.state)).toBe(false);
    const fixed = await cured(host, "state.legacy_location");
    expect(await readlink(old)).toBe(host.state);
    expect(JSON.parse(await readFile(host.config, "utf8"))).toEqual(LOCAL);
    expect(fixed.undo).toBe("openclaw doctor --undo-migration");
    const undone = await host.run(["doctor", "--undo-migration"]);
    expect(undone).toMatchObject({ code: 0 });
    expect(existsSync(host.state)).toBe(false);
    expect(JSON.parse(await readFile(`${old}/clawdbot.json`, "utf8"))).toEqual(LOCAL);
    const again = await host.run(["doctor", "--undo-migration"]);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain("nothing to take back");
  });

  test("--undo-migration loses nothing when something is in the way, and says so", async () => {
    await using host = await createHost();
    const old = host.cli.home.file(".clawdbot");
    await host.put(".clawdbot/clawdbot.json", JSON.stringify(LOCAL));
    await host.report("--fix", "--only", "state.legacy_location");
    await rm(old);
    await mkdir(old);
    const { code, stderr } = await host.run(["doctor", "--undo-migration"]);
    expect(code).toBe(1);
    expect(stderr).toContain("cannot take back");
    expect(JSON.parse(await readFile(`${host.state}/clawdbot.json`, "utf8"))).toEqual(LOCAL);
  });

  test("one --fix moves the tutorial's state, rewrites its keys and closes its modes", async () => {
    await using host = await createHost();
    const path = await host.put(
      ".clawdbot/clawdbot.json",
      `{gateway:{mode:"local",token:"${TOKEN}"}}`,
    );
    await chmod(path, 0o644);
    await chmod(dirname(path), 0o755);
    const report = await host.report("--fix", "--skip", "gateway");
    expect(report.checks.map(({ code, fixed }) => [code, fixed])).toEqual(
      expect.arrayContaining([
        ["state.legacy_location", true],
        ["config.legacy_keys", true],
        ["state.mode", true],
      ]),
    );
    expect(report.ok).toBe(true);
    const { config } = await readConfigLoosely({ path: host.config, env: {} });
    expect(config).toMatchObject(LOCAL);
    expect(await modeOf(host.state)).toBe("700");
  });

  test("state.second_location: two state directories stay, and are told", async () => {
    await using host = await createHost(LOCAL);
    await mkdir(host.cli.home.file(".moltbot"));
    const { evidence } = found(await host.report(), "state.second_location");
    expect(evidence[0]).toContain(`${host.cli.home.file(".moltbot")} is still there beside`);
  });

  test.each([
    [".openclaw/openclaw.json", 0o644, "600", "warn"],
    [".openclaw/openclaw.json.bak", 0o640, "600", "warn"],
    [".openclaw/.env", 0o666, "600", "error"],
    [".openclaw/identity/device-auth.json", 0o604, "600", "warn"],
    [".openclaw/gateway/tls/gateway-key.pem", 0o644, "600", "warn"],
    [".openclaw/credentials", 0o755, "700", "warn"],
    [".openclaw/agents/main/agent", 0o775, "700", "error"],
    [".openclaw", 0o755, "700", "warn"],
  ])("state.mode: %s with mode %o is set to %s", async (name, mode, wanted, severity) => {
    await using host = await createHost(LOCAL);
    const path = host.cli.home.file(name);
    if (/\.(?:json|bak|pem)$|\.env$/u.test(name)) {
      if (!existsSync(path)) await host.put(name, "");
    } else await mkdir(path, { recursive: true, mode: 0o700 });
    await chmod(path, mode);
    expect(found(await host.report(), "state.mode")).toMatchObject({
      severity,
      fix: `chmod ${wanted} ${path}`,
      evidence: [`${path} has mode ${mode.toString(8)}`],
    });
    await curedAndUndone(host, "state.mode");
    expect(await modeOf(path)).toBe(mode.toString(8));
  });

  test.runIf(process.getuid?.() === 0)(
    "state.owner: what is somebody else's is told, with who that is",
    async () => {
      await using host = await createHost(LOCAL);
      await chown(host.config, 65_534, 65_534);
      expect(found(await host.report(), "state.owner")).toMatchObject({
        evidence: [`${host.config} belongs to user 65534, and you are 0`],
        fix: "Run commands as that user, without sudo.",
      });
    },
  );

  test.each([
    ["no JSON", "not json at all"],
    ["no key", `{"version":1,"deviceId":"00","privateKeyPem":"none"}`],
    ["empty", ""],
  ])(
    "state.identity_unreadable: a key file with %s is told and never made anew",
    async (_, text) => {
      await using host = await createHost(LOCAL);
      const path = await host.put(".openclaw/identity/device.json", text);
      const finding = found(await host.report("--fix"), "state.identity_unreadable");
      expect(finding).toMatchObject({ severity: "error", fixable: false });
      expect(finding.fix).toContain("backup");
      expect(await readFile(path, "utf8")).toBe(text);
    },
  );

  test("state.identity_unreadable: a key file whose id is that of another key", async () => {
    await using host = await createHost(LOCAL);
    const { privateKey } = generateKeyPairSync("ed25519");
    const pem = privateKey.export({ type: "pkcs8", format: "pem" });
    const stored = { version: 1, deviceId: "0".repeat(64), privateKeyPem: pem };
    await host.put(".openclaw/identity/device.json", JSON.stringify(stored));
    const finding = found(await host.report(), "state.identity_unreadable");
    expect(finding.evidence[0]).toContain("its deviceId is not that of its key");
    expect(JSON.stringify(finding)).not.toContain("PRIVATE");
  });

  test("state.tokens_unreadable: --fix moves the store aside, since the key gets new tokens", async () => {
    await using host = await createHost(LOCAL);
    const path = await host.put(".openclaw/identity/device-auth.json", `{"tokens":"${TOKEN}`);
    const finding = found(await host.report(), "state.tokens_unreadable");
    expect(JSON.stringify(finding)).not.toContain(TOKEN);
    await curedAndUndone(host, "state.tokens_unreadable");
    expect(await readFile(path, "utf8")).toContain(TOKEN);
  });

  test.each(["node.json", "exec-approvals.json"])(
    "state.file_unreadable: %s that is broken stays as it is",
    async (name) => {
      await using host = await createHost(LOCAL);
      const path = await host.put(`.openclaw/${name}`, "{");
      const finding = found(await host.report("--fix"), "state.file_unreadable");
      expect(finding.evidence).toEqual([`${path}: it is not JSON`]);
      expect(await readFile(path, "utf8")).toBe("{");
    },
  );

  test.each([
    ["begins with something else", "not a database at all"],
    ["is empty", ""],
  ])("state.store_unreadable: a store that %s stays as it is", async (what, text) => {
    await using host = await createHost(LOCAL);
    const path = await host.put(".openclaw/gateway/gateway.sqlite", text);
    const finding = found(await host.report("--fix"), "state.store_unreadable");
    expect(finding).toMatchObject({ severity: "error", evidence: [`${path} ${what}`] });
    expect(await readFile(path, "utf8")).toBe(text);
  });

  test("a store that a Gateway has written is one", async () => {
    await using host = await createHost(LOCAL);
    await createSqliteStore({ directory: host.file("gateway") }).close();
    expect(existsSync(host.file("gateway/gateway.sqlite"))).toBe(true);
    expect(codes(await host.report("--only", "state.store_unreadable"))).toEqual([]);
  });

  test.each([
    ["gateway/instance.json", { port: 1 }],
    ["gateway/run-token", { port: 1, token: TOKEN }],
    ["openclaw.json.lock", { nonce: "1", startedAt: null }],
    ["tunnels/home.json", { name: "home" }],
  ])("state.stale_file: %s of a process that is gone is moved aside", async (name, more) => {
    await using host = await createHost(LOCAL);
    // Larger than any process id that a system gives.
    await host.put(`.openclaw/${name}`, JSON.stringify({ pid: 2 ** 30, ...more }));
    const finding = found(await host.report(), "state.stale_file");
    expect(finding.severity).toBe("info");
    expect(JSON.stringify(finding)).not.toContain(TOKEN);
    await curedAndUndone(host, "state.stale_file");
    await host.put(`.openclaw/${name}`, JSON.stringify({ pid: process.pid, ...more }));
    expect(codes(await host.report("--only", "state.stale_file"))).toEqual([]);
  });
});

describe("environment", () => {
  test("env.old_name names each variable, what it is called now, and no value", async () => {
    await using host = await createHost(LOCAL, {
      CLAWDBOT_GATEWAY_PASSWORD: "hunter2-hunter2-hunter2",
      MOLTBOT_GATEWAY_PORT: "19000",
      OPENCLAW_GATEWAY_PORT: "19001",
    });
    const finding = found(await host.report(), "env.old_name");
    expect(finding.evidence).toEqual([
      "CLAWDBOT_GATEWAY_PASSWORD is called OPENCLAW_GATEWAY_PASSWORD now",
      "MOLTBOT_GATEWAY_PORT is called OPENCLAW_GATEWAY_PORT now, and has no effect beside it",
    ]);
    expect(JSON.stringify(finding)).not.toContain("hunter2");
  });
});

describe("gateway", () => {
  test("gateway.no_secret: only --generate-gateway-token writes one, and does not show it", async () => {
    await using host = await createHost({ gateway: { mode: "local" } });
    expect(found(await host.report(), "gateway.no_secret")).toMatchObject({
      severity: "warn",
      fix: "openclaw doctor --generate-gateway-token",
    });
    expect(codes(await host.report("--fix"))).toContain("gateway.no_secret");
    const { stdout, stderr } = await host.run(["doctor", "--generate-gateway-token"]);
    const { gateway } = JSON.parse(await readFile(host.config, "utf8")) as {
      gateway: { auth: { token: string } };
    };
    expect(gateway.auth.token).toMatch(/^[0-9a-f]{48}$/u);
    expect(stdout + stderr).not.toContain(gateway.auth.token);
    expect(codes(await host.report("--only", "gateway.no_secret"))).toEqual([]);
    await type(host, /Undo: (.*)/u.exec(stdout)?.[1] ?? "false");
    expect(codes(await host.report("--only", "gateway"))).toContain("gateway.no_secret");
  });

  test("gateway.no_secret is an error where the Gateway listens beyond this machine", async () => {
    await using host = await createHost({ gateway: { mode: "local", bind: "lan" } });
    const finding = found(await host.report(), "gateway.no_secret");
    expect(finding.severity).toBe("error");
    expect(finding.evidence.join(" ")).toContain("refusing to bind");
  });

  test("gateway.no_secret: gateway.remote.token is for clients, and does not protect this Gateway", async () => {
    await using host = await createHost({ gateway: { mode: "local", remote: { token: TOKEN } } });
    const finding = found(await host.report(), "gateway.no_secret");
    expect(finding.evidence.join("\n")).toContain("gateway.remote.token is for clients");
  });

  test("gateway.auth_refused: a mode whose secret is not there", async () => {
    await using host = await createHost({ gateway: { mode: "local", auth: { mode: "password" } } });
    const finding = found(await host.report("--generate-gateway-token"), "gateway.auth_refused");
    expect(finding.fix).toContain("OPENCLAW_GATEWAY_PASSWORD");
  });

  test.runIf(isLinux).each([
    ["node", "Stop that program if it is yours"],
    ["ssh", "Close that tunnel"],
    ["openclaw-gateway", "Stop that Gateway where it was started"],
  ])(
    "gateway.port_taken names the %s that holds the port, and never says to kill it",
    async (name, cure) => {
      await using host = await createHost();
      // The kind of a program is read from its command line, so that its folder must name none.
      await using folder = await temporaryDirectory("holder-");
      const program = folder.file(name);
      await symlink(process.execPath, program);
      await using holder = startProcess(program, ["-e", NO_GATEWAY]);
      const [, port = 0] = (await holder.line(/^port (\d+)$/u)).map(Number);
      await host.put(".openclaw/openclaw.json", JSON.stringify(local({ port })));
      const report = await host.report();
      const finding = found(report, "gateway.port_taken");
      expect(finding.evidence[0]).toContain(`pid ${holder.pid}`);
      expect(finding.fix).toContain(cure);
      expect(finding.fix).toContain(`openclaw config set gateway.port ${port + 100}`);
      expect(finding.fix).not.toContain("kill");
      expect(codes(report)).not.toContain("gateway.not_running");
    },
  );

  test("gateway.port_neighbour: another profile with a port that is too near", async () => {
    const port = await freePort();
    await using host = await createHost(local({ port }));
    await host.put(".openclaw-work/openclaw.json", JSON.stringify(local({ port: port + 2 })));
    const near = found(await host.report(), "gateway.port_neighbour");
    expect(near.evidence[0]).toContain(".openclaw-work");
    const [, cure = ""] = /gateway\.port (\d+)/u.exec(near.fix) ?? [];
    expect(Math.abs(Number(cure) - port - 2)).toBeGreaterThanOrEqual(20);
    await host.put(".openclaw-work/openclaw.json", JSON.stringify(local({ port })));
    expect(found(await host.report(), "gateway.port_neighbour").evidence[0]).toContain("as well");
    // A profile that only uses a Gateway needs no port.
    await host.put(".openclaw-work/openclaw.json", JSON.stringify({ gateway: { mode: "remote" } }));
    expect(codes(await host.report())).not.toContain("gateway.port_neighbour");
  });

  test("gateway.not_running", async () => {
    await using host = await createHost(local({ port: await freePort() }));
    expect(found(await host.report(), "gateway.not_running")).toMatchObject({
      severity: "warn",
      fix: "openclaw gateway install",
    });
  });

  test("gateway.unreachable: a Gateway that has another token says so, and shows neither", async () => {
    await using gateway = await startGateway({ auth: { mode: "token", token: `other-${TOKEN}` } });
    await using host = await createHost(local({ port: gateway.port }));
    const report = await host.report();
    expect(found(report, "gateway.unreachable")).toMatchObject({
      severity: "error",
      fix: "openclaw doctor connect",
    });
    expect(JSON.stringify(report)).not.toContain(TOKEN);
    expect(codes(report)).not.toContain("gateway.port_taken");
  });

  test("gateway.unreachable in remote mode: a port of this machine where a tunnel should listen", async () => {
    const port = await freePort();
    await using host = await createHost({
      gateway: { mode: "remote", remote: { url: `ws://127.0.0.1:${port}`, token: TOKEN } },
    });
    const finding = found(await host.report(), "gateway.unreachable");
    expect(finding.evidence.join("\n")).toContain(
      `this is a port of this machine, where a tunnel should listen; nobody does on ${port}`,
    );
    expect(JSON.stringify(finding)).not.toContain(TOKEN);
  });

  const [address] = lanAddresses();
  test.runIf(address !== undefined)(
    "gateway.unreachable in remote mode: an address on which a Gateway on loopback does not listen",
    async () => {
      const url = `ws://${address}:${await freePort()}`;
      await using host = await createHost(
        { gateway: { mode: "remote", remote: { url, token: TOKEN } } },
        { OPENCLAW_ALLOW_INSECURE_PRIVATE_WS: "1" },
      );
      const { evidence } = found(await host.report(), "gateway.unreachable");
      expect(evidence.join("\n")).toContain(`look at ${address}: openclaw gateway status`);
      expect(evidence.join("\n")).toContain("gateway.bind");
    },
  );

  test("remote mode with a Gateway that answers has no findings", async () => {
    await using gateway = await startGateway();
    await using host = await createHost({
      gateway: { mode: "remote", remote: { url: gateway.url, token: TOKEN } },
    });
    expect(codes(await host.report())).toEqual([]);
  });

  test("gateway.proxy_untrusted: https origins, no TLS of its own and no trusted proxy", async () => {
    const gateway = { controlUi: { allowedOrigins: ["https://gw.example"] } };
    await using host = await createHost(local(gateway));
    expect(found(await host.report(), "gateway.proxy_untrusted").fix).toContain(
      "gateway.trustedProxies",
    );
    await writeFile(
      host.config,
      JSON.stringify(local({ ...gateway, trustedProxies: ["127.0.0.1"] })),
    );
    expect(codes(await host.report())).not.toContain("gateway.proxy_untrusted");
  });

  test("gateway.clock_skew is a hint, and the connection works", async () => {
    const year = 365 * 86_400_000;
    await using gateway = await startGateway({ now: () => Date.now() - year });
    await using host = await createHost(local({ port: gateway.port }));
    const report = await host.report();
    expect(report.checks).toMatchObject([{ code: "gateway.clock_skew", severity: "info" }]);
    expect(report.ok).toBe(true);
  });
});

describe("tailscale", () => {
  const serve = { tailscale: { mode: "serve" } };

  test("off runs no program", async () => {
    await using tailscale = await fakeTailscale();
    await using host = await createHost(local({}), {});
    await host.run(["doctor", "--json"], { env: { PATH: tailscale.path } });
    expect(tailscale.calls()).toEqual([]);
  });

  test("tailscale.not_installed", async () => {
    await using host = await createHost(local(serve));
    await mkdir(host.cli.home.file("empty"));
    const { json } = await host.run(["doctor", "--json", "--only", "tailscale"], {
      env: { PATH: host.cli.home.file("empty") },
    });
    expect(found(json() as unknown as Report, "tailscale.not_installed").severity).toBe("error");
  });

  test("tailscale.not_ready: not logged in", async () => {
    await using tailscale = await fakeTailscale({ backendState: "NeedsLogin" });
    await using host = await createHost(local(serve), {});
    const { json } = await host.run(["doctor", "--json", "--only", "tailscale"], {
      env: { PATH: tailscale.path },
    });
    const finding = found(json() as unknown as Report, "tailscale.not_ready");
    expect(finding.evidence).toContain("state: NeedsLogin");
    expect(finding.fix).toMatch(/Log in/u);
  });

  /** What a Gateway writes down when it opens a route. */
  async function record(host: Host, owner: object): Promise<void> {
    const route = {
      mode: "serve",
      host: "box.tail1234.ts.net",
      target: "http://127.0.0.1:18789",
      port: 443,
      mount: "/",
    };
    const document = { version: 1, id: "1", route, owner, openedAt: new Date().toISOString() };
    await host.put(".openclaw/gateway/tailscale.json", JSON.stringify(document));
  }

  const TABLE = {
    TCP: { "443": { HTTPS: true } },
    Web: {
      "box.tail1234.ts.net:443": { Handlers: { "/": { Proxy: "http://127.0.0.1:18789" } } },
    },
  };

  test("tailscale.leftover_route: --fix takes off what a Gateway that is gone has left, and nothing else", async () => {
    const other = { "8443": { HTTPS: true } };
    const web = {
      "box.tail1234.ts.net:8443": { Handlers: { "/": { Proxy: "http://127.0.0.1:3000" } } },
    };
    await using tailscale = await fakeTailscale({
      table: { TCP: { ...TABLE.TCP, ...other }, Web: { ...TABLE.Web, ...web } },
    });
    await using host = await createHost(LOCAL, { PATH: tailscale.path });
    await record(host, { pid: 2 ** 30, bootId: "", startTime: "" });
    const finding = found(await host.report(), "tailscale.leftover_route");
    expect(finding.evidence[0]).toContain("https://box.tail1234.ts.net/");
    expect(tailscale.calls()).toEqual([]);
    const fixed = await cured(host, "tailscale.leftover_route");
    expect(tailscale.table()).toEqual({ TCP: other, Web: web });
    expect(fixed.undo).toBe("tailscale serve --bg http://127.0.0.1:18789");
  });

  test("tailscale.record_unreadable", async () => {
    await using host = await createHost(LOCAL);
    await host.put(".openclaw/gateway/tailscale.json", "{");
    expect(found(await host.report(), "tailscale.record_unreadable").fix).toContain(
      "tailscale serve status",
    );
  });

  test.runIf(isLinux).each([
    ["tailscale.route_gone", {}],
    [
      "tailscale.route_changed",
      {
        TCP: TABLE.TCP,
        Web: {
          "box.tail1234.ts.net:443": { Handlers: { "/": { Proxy: "http://127.0.0.1:3000" } } },
        },
      },
    ],
  ])("%s: while the Gateway that opened it runs", async (code, table) => {
    await using tailscale = await fakeTailscale({ table: TABLE });
    await using host = await createHost(local(serve), { PATH: tailscale.path });
    const text = await readFile(`/proc/${process.pid}/stat`, "utf8");
    const startTime = text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
    const bootId = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
    await record(host, { pid: process.pid, bootId, startTime });
    expect(codes(await host.report("--only", "tailscale"))).toEqual([]);
    tailscale.setTable(table);
    expect(found(await host.report(), code).fix).toBe("openclaw gateway restart");
  });
});

describe("tls", () => {
  const tls = { tls: { enabled: true } };

  async function withCertificate(host: Host, days: number): Promise<void> {
    const directory = host.file("gateway/tls");
    const { loadGatewayCertificate, renewGatewayCertificate } = await import("@openclaw/exposure");
    await loadGatewayCertificate({ directory, autoGenerate: true, names: [] });
    const tenYears = 3_650;
    const nowMs = Date.now() - (tenYears - days) * 86_400_000;
    await renewGatewayCertificate({ directory, names: [], nowMs });
  }

  test.each([
    ["tls.expiring", 10, "warn"],
    ["tls.expired", -10, "error"],
  ])("%s: a certificate with %i days left", async (code, days, severity) => {
    await using host = await createHost(local(tls));
    await withCertificate(host, days);
    expect(found(await host.report("--only", "tls"), code)).toMatchObject({
      severity,
      fix: "openclaw gateway certificate --renew",
    });
    await host.run(["gateway", "certificate", "--renew"]);
    expect(codes(await host.report("--only", "tls"))).toEqual([]);
  });

  test("tls.unusable: the key of another certificate", async () => {
    await using host = await createHost(local(tls));
    await withCertificate(host, 100);
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const pem = String(privateKey.export({ type: "pkcs8", format: "pem" }));
    await writeFile(host.file("gateway/tls/gateway-key.pem"), pem, { mode: 0o600 });
    const finding = found(await host.report("--only", "tls"), "tls.unusable");
    expect(finding.evidence[0]).toContain("KEY_MISMATCH");
    expect(JSON.stringify(finding)).not.toContain("PRIVATE");
  });
});

/** A tutorial's unit of a tunnel. */
const TUNNEL_UNIT = `[Unit]
Description=clawdbot tunnel
[Service]
Type=simple
ExecStart=/usr/bin/ssh -N -f -L 18789:127.0.0.1:18789 me@box
Restart=on-failure
RestartSec=5s
[Install]
WantedBy=default.target
`;

/** A unit that a release under a former name has written. */
const GATEWAY_UNIT = `[Service]
ExecStart=/usr/bin/clawdbot gateway start
Environment="CLAWDBOT_GATEWAY_PASSWORD=hunter2-hunter2-hunter2"
Restart=always
`;

const UNITS = ".config/systemd/user";

describe.runIf(isLinux)("services", () => {
  test("service.leftover: only --force removes it, a copy is kept, and the undo puts it back", async () => {
    await using host = await createHost(LOCAL);
    const unit = await host.put(`${UNITS}/clawdbot-gateway.service`, GATEWAY_UNIT);
    const finding = found(await host.report(), "service.leftover");
    expect(finding.evidence).toContain(unit);
    expect(finding.fix).toContain("systemctl --user disable --now clawdbot-gateway.service");
    const refused = found(await host.report("--fix"), "service.leftover");
    expect(refused).toMatchObject({ fixed: false, failure: expect.stringContaining("--force") });
    expect(existsSync(unit)).toBe(true);
    await curedAndUndone(host, "service.leftover", "--force");
    expect(await readFile(unit, "utf8")).toBe(GATEWAY_UNIT);
  });

  test("service.leftover_secret names the variable, never the value", async () => {
    await using host = await createHost(LOCAL);
    await host.put(`${UNITS}/clawdbot-gateway.service`, GATEWAY_UNIT);
    const report = await host.report();
    expect(found(report, "service.leftover_secret").evidence.join("\n")).toContain(
      "CLAWDBOT_GATEWAY_PASSWORD",
    );
    expect(JSON.stringify(report)).not.toContain("hunter2");
  });

  test("tunnel.forks_under_supervision: the tutorial's ssh -f, which its supervisor starts for ever", async () => {
    await using host = await createHost(LOCAL);
    const unit = await host.put(`${UNITS}/clawdbot-ssh-tunnel.service`, TUNNEL_UNIT);
    const report = await host.report();
    expect(codes(report)).toEqual(
      expect.arrayContaining([
        "tunnel.leftover",
        "tunnel.forks_under_supervision",
        "tunnel.without_exit_on_forward_failure",
        "tunnel.without_keepalive",
        "tunnel.may_prompt",
      ]),
    );
    const finding = found(report, "tunnel.forks_under_supervision");
    expect(finding).toMatchObject({ severity: "error", evidence: [unit, expect.any(String)] });
    expect(finding.fix).toContain("Remove -f");
    expect(finding.fix).toContain("openclaw tunnel install --replace-leftovers");
    expect(found(report, "tunnel.without_exit_on_forward_failure").fix).toContain(
      "ExitOnForwardFailure=yes",
    );
    await curedAndUndone(host, "tunnel.leftover", "--force");
  });

  test("tunnel.kills_port_holder: a tunnel that ends whatever holds its port", async () => {
    await using host = await createHost(LOCAL);
    await host.put(
      `${UNITS}/clawdbot-ssh-tunnel.service`,
      TUNNEL_UNIT.replace(
        "ExecStart=",
        'ExecStartPre=/bin/sh -c "lsof -ti :18789 | xargs kill -9"\nExecStart=',
      ),
    );
    expect(codes(await host.report())).toContain("tunnel.kills_port_holder");
  });

  test("tunnel.forks_under_supervision: also in a unit of any other name that is for the Gateway's port", async () => {
    await using host = await createHost(LOCAL);
    const unit = await host.put(`${UNITS}/my-own.service`, TUNNEL_UNIT);
    await host.put(`${UNITS}/database.service`, TUNNEL_UNIT.replaceAll("18789", "5432"));
    const report = await host.report("--only", "tunnel");
    expect(report.checks).toMatchObject([
      { code: "tunnel.forks_under_supervision", evidence: [unit, expect.any(String)] },
    ]);
  });

  test("a tunnel that is right but for its name is only a leftover", async () => {
    await using host = await createHost(LOCAL);
    const options = "ExitOnForwardFailure=yes -o ServerAliveInterval=15 -o BatchMode=yes";
    await host.put(
      `${UNITS}/clawdbot-ssh-tunnel.service`,
      TUNNEL_UNIT.replace("-N -f", `-N -o ${options}`),
    );
    expect(codes(await host.report("--only", "tunnel"))).toEqual(["tunnel.leftover"]);
  });

  test("a definition that was tampered with is written anew, its secret goes to the config, and the undo brings it back", async () => {
    await using host = await createHost({ gateway: { mode: "local" } });
    const port = await freePort();
    const { node } = host.systemd;
    const installed = await host.run(
      ["gateway", "install", "--port", String(port), "--runtime-path", node],
      { env: { OPENCLAW_GATEWAY_TOKEN: TOKEN } },
    );
    expect(installed).toMatchObject({ code: 0 });
    const unit = host.cli.home.file(UNITS, "openclaw-gateway.service");
    expect(codes(await host.report("--only", "service"))).toEqual(["service.linger_off"]);

    const spoiled = (await readFile(unit, "utf8"))
      .replace(/^(After|Wants)=.*\n/gmu, "")
      .replace("[Service]\n", `[Service]\nEnvironment=OPENCLAW_GATEWAY_TOKEN=${TOKEN}\n`);
    await writeFile(unit, spoiled);
    await rm(host.file("service/gateway.env"));
    const report = await host.report("--only", "service");
    expect(codes(report)).toEqual([
      "service.secret_embedded",
      "service.systemd_after_network_online",
      "service.systemd_wants_network_online",
      "service.linger_off",
    ]);
    expect(JSON.stringify(report)).not.toContain(TOKEN);
    expect(found(report, "service.linger_off").fix).toMatch(/^sudo loginctl enable-linger \w+$/u);

    const mended = await host.report("--fix", "--only", "service");
    const { fixed, undo = "" } = found(mended, "service.secret_embedded");
    expect(fixed).toBe(true);
    expect(mended.summary).toMatchObject({ fixed: 3 });
    expect(JSON.stringify(mended)).not.toContain(TOKEN);
    expect(await readFile(unit, "utf8")).not.toContain(TOKEN);
    const { config } = await readConfigLoosely({ path: host.config, env: {} });
    expect(config).toMatchObject({ gateway: { auth: { token: TOKEN } } });
    // The Gateway runs again, on its port, and lets in whoever has the token.
    expect((await host.run(["health"])).code).toBe(0);

    await type(host, undo);
    expect(await readFile(unit, "utf8")).toBe(spoiled);
    await host.run(["gateway", "stop"]);
    expect(codes(await host.report("--only", "service.not_running"))).toEqual([
      "service.not_running",
    ]);
  });

  test("service.gateway_command_missing: a unit of our name that somebody wrote is only replaced with --force", async () => {
    await using host = await createHost(LOCAL);
    const text = "[Service]\nExecStart=/bin/sleep 1000\n";
    const unit = await host.put(`${UNITS}/openclaw-gateway.service`, text);
    const report = await host.report("--fix", "--only", "service");
    expect(found(report, "service.gateway_command_missing")).toMatchObject({
      severity: "error",
      fix: "openclaw gateway install --force",
      fixed: false,
      failure: expect.stringContaining("--force"),
    });
    expect(await readFile(unit, "utf8")).toBe(text);
  });

  test("service.config_mismatch: the service reads another file than the commands", async () => {
    await using host = await createHost(LOCAL);
    await host.put(
      `${UNITS}/openclaw-gateway.service`,
      `[Service]\nExecStart=/usr/bin/node /usr/bin/openclaw gateway run\nEnvironment=OPENCLAW_CONFIG_PATH=/etc/openclaw.json\n`,
    );
    const finding = found(await host.report(), "service.config_mismatch");
    expect(finding.evidence).toEqual(["service: /etc/openclaw.json", `commands: ${host.config}`]);
  });

  test("service.secret_embedded: in the service of a node, also in remote mode", async () => {
    await using host = await createHost({ gateway: { mode: "remote" } });
    const unit = await host.put(
      `${UNITS}/openclaw-node.service`,
      `[Service]\nExecStart=/usr/bin/node /usr/bin/openclaw node run\nRestart=always\nRestartSec=5\nEnvironment=OPENCLAW_SERVICE_KIND=node\nEnvironment=OPENCLAW_GATEWAY_TOKEN=${TOKEN}\n`,
    );
    const report = await host.report("--only", "service");
    expect(found(report, "service.secret_embedded")).toMatchObject({
      evidence: [unit, "OPENCLAW_GATEWAY_TOKEN"],
      fix: "openclaw node install --force",
    });
    expect(JSON.stringify(report)).not.toContain(TOKEN);
  });

  test("where systemd does not answer the rest is told, and nothing is removed", async () => {
    await using host = await createHost({ gateway: { auth: { token: TOKEN } } });
    const unit = await host.put(`${UNITS}/clawdbot-gateway.service`, GATEWAY_UNIT);
    await host.systemd.breakBus();
    const report = await host.report("--fix", "--force", "--skip", "gateway");
    expect(found(report, "config.mode_unset").fixed).toBe(true);
    expect(found(report, "service.leftover")).toMatchObject({
      fixed: false,
      failure: expect.any(String),
    });
    expect(await readFile(unit, "utf8")).toBe(GATEWAY_UNIT);
  });

  test("in remote mode the service of a Gateway is not looked at", async () => {
    await using host = await createHost({ gateway: { mode: "remote" } });
    await host.put(`${UNITS}/openclaw-gateway.service`, "[Service]\nExecStart=/bin/true\n");
    expect(codes(await host.report("--only", "service"))).toEqual([]);
  });
});

/** What the checks say of another machine than this one. */
async function look(host: Host, machine: Partial<Machine>, env: Record<string, string> = {}) {
  const { io } = createMemoryIo({ home: host.cli.home.path, env: { ...host.systemd.env, ...env } });
  const context = createContext({
    io: { ...io, programName: "openclaw" },
    env: io.env,
    paths: resolvePaths({ env: io.env, homedir: io.homedir }),
    profile: undefined,
    noColor: true,
    parsed: { spec: doctorCheckCommand, path: ["doctor"], args: [], options: {} },
  });
  const facts = await gatherDoctorFacts(context, { ...THIS_MACHINE, ...machine });
  return (await Promise.all(checks.map(async (check) => check.run(facts)))).flat();
}

describe("macOS", () => {
  test("tunnel.forks_under_supervision: the tutorial's agent with -f and KeepAlive", async () => {
    await using host = await createHost(LOCAL);
    const plist = await host.put(
      "Library/LaunchAgents/com.clawdbot.ssh-tunnel.plist",
      `<?xml version="1.0" encoding="UTF-8"?>
<plist version="1.0"><dict>
<key>Label</key><string>com.clawdbot.ssh-tunnel</string>
<key>ProgramArguments</key><array><string>/usr/bin/ssh</string><string>-f</string><string>-N</string><string>clawdbot-remote</string></array>
<key>KeepAlive</key><true/><key>RunAtLoad</key><true/>
</dict></plist>`,
    );
    const findings = await look(host, { platform: "darwin" });
    const finding = findings.find(({ code }) => code === "tunnel.forks_under_supervision");
    expect(finding).toMatchObject({ severity: "error", evidence: [plist, expect.any(String)] });
  });

  test("env.launchctl_override names the variable and how to unset it, never its value", async () => {
    await using host = await createHost(LOCAL);
    await host.put(
      "bin/launchctl",
      `#!/bin/sh\n[ "$1 $2" = "getenv OPENCLAW_GATEWAY_TOKEN" ] && echo hunter2-hunter2\nexit 0\n`,
    );
    await chmod(host.cli.home.file("bin/launchctl"), 0o755);
    const env = { PATH: `${host.cli.home.file("bin")}:${host.systemd.env.PATH}` };
    const findings = await look(host, { platform: "darwin" }, env);
    expect(findings.filter(({ code }) => code === "env.launchctl_override")).toMatchObject([
      { fix: "launchctl unsetenv OPENCLAW_GATEWAY_TOKEN" },
    ]);
    expect(JSON.stringify(findings)).not.toContain("hunter2");
    expect(await look(host, { platform: "linux" }, env)).not.toContainEqual(
      expect.objectContaining({ code: "env.launchctl_override" }),
    );
  });
});

test.each([
  ["20.19.0", true],
  ["22.12.9", true],
  ["22.13.0", false],
  ["24.0.0", false],
])("machine.node_version: Node %s is too old: %s", async (nodeVersion, isOld) => {
  await using host = await createHost(LOCAL);
  const found = (await look(host, { nodeVersion })).map(({ code }) => code);
  expect(found.includes("machine.node_version")).toBe(isOld);
});

test.each([
  [10, "error"],
  [200, "warn"],
  [1_000, undefined],
])("state.disk_full: with %i MiB left", (freeMiB, severity) => {
  const [finding] = lowDisk("/var/state", freeMiB * 1024 * 1024);
  expect(finding?.severity).toBe(severity);
});

test("every code belongs to one check, and reads group.name", () => {
  const all = checks.flatMap((check) => check.codes);
  expect(new Set(all).size).toBe(all.length);
  for (const code of all) expect(code).toMatch(/^[a-z]+\.[a-z_]+$/u);
});

test("a check that fails itself is told, hides no other, and makes the exit code 1", async () => {
  await using host = await createHost({ gateway: { auth: { token: TOKEN } } });
  const disk = checks.find((check) => check.codes.includes("state.disk_full"));
  if (disk === undefined) throw new Error("no such check");
  using _ = vi.spyOn(disk, "run").mockRejectedValue(new Error("no such system call"));
  const { code, json } = await host.run([
    "doctor",
    "--json",
    "--only",
    "config",
    "--only",
    "state",
  ]);
  expect(code).toBe(1);
  const report = json() as unknown as Report;
  expect(found(report, "doctor.check_failed").evidence).toEqual([
    "state.disk_full: no such system call",
  ]);
  expect(codes(report)).toContain("config.mode_unset");
});

test("the docs name every code", async () => {
  const page = await readFile(new URL("../../../docs/doctor.md", import.meta.url), "utf8");
  const named = [...page.matchAll(/`([a-z]+\.[a-z_]+\*?)`/gu)].map(([, name = ""]) => name);
  const isNamed = (code: string): boolean =>
    named.some((name) => (name.endsWith("*") ? code.startsWith(name.slice(0, -1)) : code === name));
  const unnamed = checks.flatMap((check) => check.codes).filter((code) => !isNamed(code));
  expect(unnamed).toEqual([]);
});

test("no secret of the config, the environment, a service or a file is ever printed", async () => {
  const secret = (name: string): string => `seeded-${name}-0123456789abcdef`;
  const text = `{
  gateway: { token: "${secret("legacy")}", remote: { password: "${secret("remote")}" }, prot: "${secret("value")}" },
  telegram: { botToken: "${secret("bot")}" },
}`;
  await using host = await createHost(text, {
    CLAWDBOT_GATEWAY_PASSWORD: secret("env"),
    OPENCLAW_GATEWAY_TOKEN: secret("token"),
  });
  await host.put(
    `${UNITS}/clawdbot-gateway.service`,
    GATEWAY_UNIT.replace("hunter2", secret("unit")),
  );
  await host.put(".openclaw/identity/device.json", `{"privateKeyPem":"${secret("key")}"`);
  await host.put(".openclaw/identity/device-auth.json", `{"tokens":"${secret("device")}"`);
  await host.put(".openclaw/node.json", `{"token":"${secret("node")}"`);
  await host.put(".openclaw/gateway/tailscale.json", `{"id":"${secret("record")}"}`);
  await host.put(".clawdbot/clawdbot.json", `{gateway:{auth:{token:"${secret("rival")}"}}}`);
  for (const args of [["--json"], [], ["--lint"], ["--fix", "--force"], ["--fix", "--json"]]) {
    // One after the other: the later ones see what the earlier ones have changed.
    // oxlint-disable-next-line no-await-in-loop
    const { stdout, stderr } = await host.run(["doctor", ...args]);
    expect(stdout).toContain("state.identity_unreadable");
    expect(stdout + stderr).not.toContain("seeded-");
  }
});

describe("flags", () => {
  const BROKEN = { gateway: { auth: { token: TOKEN } } };

  test("--lint exits 1 on findings and refuses to change anything", async () => {
    await using host = await createHost(BROKEN);
    const { code, stdout } = await host.run(["doctor", "--lint", "--only", "config"]);
    expect(code).toBe(1);
    expect(stdout).toContain("config.mode_unset");
    expect(
      (await host.run(["doctor", "--lint", "--skip", "config", "--only", "config"])).code,
    ).toBe(0);
    const both = await host.run(["doctor", "--lint", "--fix"]);
    expect(both).toMatchObject({ code: 1, stdout: "" });
    expect(JSON.parse(await readFile(host.config, "utf8"))).toEqual(BROKEN);
  });

  test("--severity-min leaves out what matters less", async () => {
    await using host = await createHost(BROKEN);
    expect(codes(await host.report("--only", "config", "--severity-min", "error"))).toEqual([]);
    expect((await host.run(["doctor", "--severity-min", "loud"])).stderr).toContain(
      "info, warn, error",
    );
  });

  test("--only with an id that no check has is refused", async () => {
    await using host = await createHost(LOCAL);
    const { code, stderr } = await host.run(["doctor", "--only", "confg"]);
    expect(code).toBe(1);
    expect(stderr).toContain("config, env, service");
  });

  test("with nobody to ask and no --fix nothing is changed", async () => {
    await using host = await createHost(BROKEN);
    const { stdout } = await host.run(["doctor", "--only", "config"]);
    expect(stdout).toContain("openclaw doctor --fix makes the changes that can be taken back.");
    expect(JSON.parse(await readFile(host.config, "utf8"))).toEqual(BROKEN);
  });

  test("--yes mends, says what was done, and how to take it back", async () => {
    await using host = await createHost(BROKEN);
    const { code, stdout } = await host.run(["doctor", "--yes", "--only", "config"]);
    expect(code).toBe(0);
    expect(stdout).toContain(`Done: Set gateway.mode to local in ${host.config}.`);
    expect(stdout).toContain(`Undo: cp ${host.config}.bak ${host.config}`);
    expect(await readFile(`${host.config}.bak`, "utf8")).toBe(JSON.stringify(BROKEN));
  });

  test("at a terminal each fix is asked about, and a no leaves it", async () => {
    await using host = await createHost(BROKEN);
    const no = await host.run(["doctor", "--only", "config"], { terminal: answering("n") });
    expect(no.stdout).toContain("Not done: you said no");
    expect(JSON.parse(await readFile(host.config, "utf8"))).toEqual(BROKEN);
    const yes = await host.run(["doctor", "--only", "config"], { terminal: answering("y") });
    expect(yes.stdout).toContain("Done: Set gateway.mode to local");
    expect(JSON.parse(await readFile(host.config, "utf8"))).toMatchObject(LOCAL);
  });

  test("at a terminal Ctrl-C ends the questions, and what was done before is told", async () => {
    await using host = await createHost(BROKEN);
    await chmod(host.state, 0o755);
    const { code, stdout } = await host.run(["doctor", "--only", "config", "--only", "state"], {
      terminal: answering("y", "\u0003"),
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/Done: .*\n +Undo: /u);
    expect(stdout).toContain("Not done: you gave up");
  });

  test("--non-interactive asks nobody at a terminal either", async () => {
    await using host = await createHost(BROKEN);
    await host.run(["doctor", "--non-interactive", "--only", "config"], {
      terminal: answering("y"),
    });
    expect(JSON.parse(await readFile(host.config, "utf8"))).toEqual(BROKEN);
  });
});

/** Somebody who gives these answers, the last one for ever. */
function answering(...keys: string[]): Terminal {
  const input = new PassThrough();
  const output = new PassThrough();
  output.on("data", (text: Buffer) => {
    // Each question is drawn once with its choices.
    if (!text.includes("?")) return;
    const key = keys.length > 1 ? keys.shift() : keys[0];
    setImmediate(() => input.write(key));
  });
  return { input, output };
}

test("security.critical tells what the audit thinks is worst", async () => {
  await using host = await createHost({
    gateway: { mode: "local", auth: { token: "changeme" } },
  });
  const finding = found(await host.report(), "security.critical");
  expect(finding.evidence.join("\n")).toContain("gateway.token_placeholder_value");
  expect(finding.fix).toBe("openclaw security audit");
});

/** A program that holds a port and says something else than a Gateway would. */
const NO_GATEWAY = `
  const server = require("node:net").createServer((socket) => {
    socket.on("error", () => {}).end("not a gateway");
  });
  server.listen(0, "127.0.0.1", () => console.log("port " + server.address().port));
`;
