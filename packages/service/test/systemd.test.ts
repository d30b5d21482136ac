import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import {
  createServiceManager,
  type ServiceDefinition,
  serviceEnvironment,
  type ServiceManager,
  serviceNames,
  systemdUnit,
} from "../src/index.ts";
import { canRunUserManager, startUserManager, type UserManager } from "./user-manager.ts";

interface Fixture {
  readonly manager: ServiceManager;
  /** A service that writes a line when it starts and when it is asked to end, and does nothing else. */
  define(change?: Partial<ServiceDefinition>, script?: string): Promise<ServiceDefinition>;
  /** Lines that the service has written. */
  lines(): Promise<string[]>;
}

const SCRIPT = `
import { appendFileSync } from "node:fs";
const [, , log, ...rest] = process.argv;
const say = (line) => appendFileSync(log, line + "\\n");
say("start " + JSON.stringify({ rest, A: process.env.A, cwd: process.cwd(), odd: process.env.ODD, file: process.env.FROM_FILE }));
process.on("SIGTERM", () => { say("end"); process.exit(0); });
setInterval(() => {}, 1e6);
`;

function fixture({ home, run }: UserManager): Fixture {
  const manager = createServiceManager({
    platform: "linux",
    home,
    uid: 0,
    user: "root",
    run,
    systemRoot: home,
  });
  const log = join(home, "service.log");
  let count = 0;
  return {
    manager,
    async define(change = {}, script = SCRIPT) {
      // A file of its own: the service that was defined before may be reading its one just now.
      const program = join(home, `service-${(count += 1)}.mjs`);
      await writeFile(program, script);
      const { kind = "gateway", profile, name } = change;
      return {
        kind,
        description: "a service of the test suite",
        programArguments: [process.execPath, program, log, "gateway", "run"],
        environment: serviceEnvironment({
          kind,
          names: serviceNames(kind, profile, name),
          home,
          profile,
          name,
          stateDir: join(home, ".openclaw"),
          configPath: join(home, ".openclaw", "openclaw.json"),
          version: "1.2.3",
          path: "/usr/local/bin:/usr/bin:/bin",
        }),
        restart: { delaySeconds: 1 },
        stopTimeoutSeconds: 5,
        ...change,
      };
    },
    async lines() {
      return (await readFile(log, "utf8").catch(() => ""))
        .split("\n")
        .filter((line) => line !== "");
    },
  };
}

describe.runIf(canRunUserManager())("with a real systemd of its own", () => {
  test("a service is installed, runs, comes back when killed, stops and is gone", async () => {
    await using systemd = await startUserManager();
    const { manager, define, lines } = fixture(systemd);
    const definition = await define();

    expect(await manager.status(definition)).toMatchObject({
      label: "openclaw-gateway.service",
      loaded: false,
      loadedText: "enabled",
      notLoadedText: "disabled",
      command: null,
      runtime: { status: "stopped", state: "inactive", missingUnit: true },
    });

    const unit = join(systemd.home, ".config/systemd/user/openclaw-gateway.service");
    const installed = await manager.install(definition);
    expect(installed).toEqual({
      result: "installed",
      label: "openclaw-gateway.service",
      path: unit,
      warnings: [],
    });
    expect((await stat(unit)).mode & 0o777).toBe(0o644);
    await vi.waitFor(async () => expect(await lines()).toHaveLength(1));
    const running = await manager.status(definition);
    expect(running).toMatchObject({
      loaded: true,
      command: { programArguments: definition.programArguments, sourcePath: unit },
      runtime: { status: "running", state: "active", subState: "running", pid: expect.any(Number) },
      configAudit: { ok: true, issues: [] },
    });

    await systemd.run("kill", ["-9", String(running.runtime.pid)], { timeoutMs: 5_000 });
    await vi.waitFor(async () => expect(await lines()).toHaveLength(2));
    const again = await manager.status(definition);
    expect(again.runtime).toMatchObject({ status: "running" });
    expect(again.runtime.pid).not.toBe(running.runtime.pid);

    expect(await manager.stop(definition)).toMatchObject({ result: "stopped" });
    expect((await lines()).at(-1)).toBe("end");
    expect((await manager.status(definition)).runtime).toMatchObject({
      status: "stopped",
      state: "inactive",
      lastExitStatus: 0,
      lastExitReason: "exited",
    });

    expect(await manager.start(definition)).toMatchObject({ result: "started" });
    await vi.waitFor(async () => expect(await lines()).toHaveLength(4));
    expect(await manager.restart(definition)).toMatchObject({ result: "restarted" });
    await vi.waitFor(async () => expect(await lines()).toHaveLength(6));

    expect(await manager.uninstall(definition)).toEqual({
      result: "uninstalled",
      label: "openclaw-gateway.service",
      path: unit,
    });
    expect((await lines()).at(-1)).toBe("end");
    await expect(stat(unit)).rejects.toMatchObject({ code: "ENOENT" });
    expect(await manager.status(definition)).toMatchObject({
      loaded: false,
      runtime: { status: "stopped", missingUnit: true },
    });
    expect(await manager.uninstall(definition)).toMatchObject({ result: "not-installed" });
    expect(await manager.start(definition)).toMatchObject({ result: "not-loaded" });
  });

  test("arguments, variables and folders of any text arrive as they were", async () => {
    await using systemd = await startUserManager();
    const { manager, define, lines } = fixture(systemd);
    const folder = join(systemd.home, `a b %h "q" $HOME 'é'`);
    await systemd.run("mkdir", [folder], { timeoutMs: 5_000 });
    const bin = join(systemd.home, "a b %h $HOME é");
    await systemd.run("mkdir", [bin], { timeoutMs: 5_000 });
    const program = join(bin, "node 100%");
    await systemd.run("ln", ["-s", process.execPath, program], { timeoutMs: 5_000 });
    const file = join(folder, "[service]*.env");
    await writeFile(file, "FROM_FILE=read\n", { mode: 0o600 });
    const base = await define();
    const rest = [
      "",
      " ",
      "100%",
      "%h",
      "$HOME",
      "${HOME}",
      `"q"`,
      "it's",
      String.raw`\n\x41`,
      ";",
      "two\nlines",
      "\t",
      "#",
      "漢字 🚀",
      "-x",
    ];
    const odd = String.raw`$A "b" 'c' \d %h` + "\n end ";
    await manager.install({
      ...base,
      programArguments: [program, ...base.programArguments.slice(1, 3), ...rest],
      environment: { ...base.environment, ODD: odd },
      workingDirectory: folder,
      environmentFile: file,
    });
    await vi.waitFor(async () => expect(await lines()).toHaveLength(1));
    const [line = ""] = await lines();
    expect(JSON.parse(line.slice("start ".length))).toEqual({
      rest,
      odd,
      cwd: folder,
      file: "read",
    });
  });

  test("a tunnel's hardening does not keep it from running, and an exit code 78 ends it for good", async () => {
    await using systemd = await startUserManager();
    const { manager, define, lines } = fixture(systemd);
    const tunnel = await define({ kind: "tunnel", name: "box" });
    await manager.install(tunnel);
    await vi.waitFor(async () => expect(await lines()).toHaveLength(1));
    expect((await manager.status(tunnel)).runtime.status).toBe("running");

    const refused = await define({ kind: "node" }, "process.exit(78);");
    await manager.install(refused);
    await vi.waitFor(async () => {
      expect((await manager.status(refused)).runtime).toMatchObject({
        status: "stopped",
        state: "failed",
        lastExitStatus: 78,
        lastExitReason: "exited",
      });
    });
  });

  test("an installed service is left alone without force, and replaced with it", async () => {
    await using systemd = await startUserManager();
    const { manager, define, lines } = fixture(systemd);
    const definition = await define({ profile: "work" });
    await manager.install(definition);
    await vi.waitFor(async () => expect(await lines()).toHaveLength(1));
    const { pid } = (await manager.status(definition)).runtime;

    const changed = { ...definition, description: "another one" };
    expect(await manager.install(changed)).toMatchObject({ result: "already-installed" });
    expect((await manager.status(definition)).runtime.pid).toBe(pid);

    expect(await manager.install(changed, { force: true })).toMatchObject({ result: "updated" });
    await vi.waitFor(async () => expect(await lines()).toHaveLength(3));
    expect(await readFile(manager.definitionPath(definition), "utf8")).toBe(systemdUnit(changed));
    expect((await manager.status(definition)).runtime.pid).not.toBe(pid);
  });

  test("a service that cannot be started leaves nothing behind", async () => {
    await using systemd = await startUserManager();
    const { manager, define } = fixture(systemd);
    const definition = await define({ programArguments: ["/nonexistent/node", "gateway"] });
    await expect(manager.install(definition)).rejects.toMatchObject({
      code: "COMMAND_FAILED",
      hints: [expect.stringContaining("systemctl --user status openclaw-gateway.service")],
    });
    expect(await manager.status(definition)).toMatchObject({
      loaded: false,
      command: null,
      runtime: { missingUnit: true },
    });
  });

  test("tunnels and profiles are listed, and files of others are not", async () => {
    await using systemd = await startUserManager();
    const { manager, define } = fixture(systemd);
    await manager.install(await define({ kind: "tunnel" }));
    await manager.install(await define({ kind: "tunnel", name: "box" }));
    await manager.install(await define({ kind: "tunnel", profile: "work", name: "box" }));
    await manager.install(await define());
    const units = join(systemd.home, ".config/systemd/user");
    await writeFile(
      join(units, "openclaw-ssh-tunnel-mine.service"),
      "[Service]\nExecStart=/usr/bin/ssh -N box\n",
    );
    await writeFile(join(units, "openclaw-broken.service"), "not a unit");
    const found = await manager.list("tunnel");
    expect(
      found.map(({ ref: { profile, name }, status }) => [
        profile,
        name,
        status.label,
        status.runtime.status,
      ]),
    ).toEqual(
      [
        ["work", "box", "openclaw-ssh-tunnel-work.box.service", "running"],
        [undefined, "box", "openclaw-ssh-tunnel-box.service", "running"],
        [undefined, undefined, "openclaw-ssh-tunnel.service", "running"],
      ].toSorted((a, b) => String(a[2]).localeCompare(String(b[2]))),
    );
  });

  test("the tutorial's tunnel is found, explained and removed", async () => {
    await using systemd = await startUserManager();
    const { manager } = fixture(systemd);
    const units = join(systemd.home, ".config/systemd/user");
    await systemd.run("mkdir", ["-p", units], { timeoutMs: 5_000 });
    const path = join(units, "clawdbot-ssh-tunnel.service");
    await writeFile(
      path,
      `[Unit]\nDescription=Clawdbot SSH Tunnel\nAfter=network.target\n[Service]\nType=simple\nExecStart=/bin/sleep 1000\nRestart=on-failure\nRestartSec=5s\n[Install]\nWantedBy=default.target\n`,
    );
    const systemctl = (...args: string[]) =>
      systemd.run("systemctl", ["--user", ...args], { timeoutMs: 5_000 });
    await systemctl("daemon-reload");
    await systemctl("enable", "--now", "clawdbot-ssh-tunnel.service");
    const [leftover] = await manager.findLeftovers();
    expect(leftover).toMatchObject({
      kind: "tunnel",
      label: "clawdbot-ssh-tunnel.service",
      path,
      scope: "user",
      recommendation: "replace",
    });
    if (leftover === undefined) return;
    expect(await manager.removeLeftover(leftover)).toEqual({ label: leftover.label, path });
    expect((await systemctl("is-active", leftover.label)).stdout).toBe("inactive\n");
    expect((await systemctl("is-enabled", leftover.label)).code).not.toBe(0);
    await expect(stat(path)).rejects.toMatchObject({ code: "ENOENT" });
    expect(await manager.findLeftovers()).toEqual([]);
  });
});
