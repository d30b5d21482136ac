import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { temporaryDirectory, type TemporaryDirectory } from "@openclaw/testkit";
import { expect, test } from "vitest";
import {
  createServiceManager,
  launchdPlist,
  type ServiceDefinition,
  serviceEnvironment,
  serviceLogs,
  serviceNames,
} from "../src/index.ts";
import { createFakeLaunchd, type FakeLaunchdOptions } from "./fake-launchctl.ts";

const LABEL = "ai.openclaw.gateway";

async function createMac(options: FakeLaunchdOptions = {}) {
  const home = await temporaryDirectory();
  const systemRoot = await temporaryDirectory();
  const launchd = createFakeLaunchd(options);
  const slept: number[] = [];
  const manager = createServiceManager({
    platform: "darwin",
    home: home.path,
    uid: 501,
    user: "me",
    run: launchd.run,
    sleep: async (ms) => void slept.push(ms),
    systemRoot: systemRoot.path,
  });
  const plist = home.file("Library", "LaunchAgents", `${LABEL}.plist`);
  return {
    home,
    systemRoot,
    launchd,
    manager,
    plist,
    slept,
    definition: definitionIn(home),
    async [Symbol.asyncDispose]() {
      await home[Symbol.asyncDispose]();
      await systemRoot[Symbol.asyncDispose]();
    },
  };
}

function definitionIn(home: TemporaryDirectory): ServiceDefinition {
  const stateDir = home.file(".openclaw");
  const names = serviceNames("gateway");
  return {
    kind: "gateway",
    description: "OpenClaw Gateway",
    programArguments: ["/usr/local/bin/node", "/opt/openclaw.js", "gateway", "run"],
    environment: serviceEnvironment({
      kind: "gateway",
      names,
      home: home.path,
      stateDir,
      configPath: `${stateDir}/openclaw.json`,
      version: "1.2.3",
      path: "/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin",
    }),
    logs: serviceLogs(stateDir, names, "darwin"),
  };
}

test("an agent is installed with launchctl's steps in order, and its log folder is made", async () => {
  await using mac = await createMac();
  expect(await mac.manager.install(mac.definition)).toEqual({
    result: "installed",
    label: LABEL,
    path: mac.plist,
    warnings: [],
  });
  expect(await readFile(mac.plist, "utf8")).toBe(launchdPlist(mac.definition));
  expect(existsSync(mac.home.file(".openclaw", "logs"))).toBe(true);
  expect(mac.launchd.calls.filter((call) => !call.includes(" print "))).toEqual([
    `launchctl bootout gui/501 ${mac.plist}`,
    `launchctl unload ${mac.plist}`,
    `launchctl enable gui/501/${LABEL}`,
    `launchctl bootstrap gui/501 ${mac.plist}`,
    `launchctl kickstart -k gui/501/${LABEL}`,
  ]);
  expect(await mac.manager.status(mac.definition)).toEqual({
    label: LABEL,
    loaded: true,
    loadedText: "loaded",
    notLoadedText: "not loaded",
    command: {
      programArguments: mac.definition.programArguments,
      environment: {
        OPENCLAW_STATE_DIR: mac.home.file(".openclaw"),
        OPENCLAW_CONFIG_PATH: mac.home.file(".openclaw", "openclaw.json"),
      },
      sourcePath: mac.plist,
    },
    runtime: { status: "running", state: "running", pid: expect.any(Number) },
    configAudit: { ok: true, issues: [] },
  });
});

test("stop boots the agent out, start brings it back, restart kills it on the way", async () => {
  await using mac = await createMac();
  await mac.manager.install(mac.definition);
  expect(await mac.manager.stop(mac.definition)).toEqual({ result: "stopped", label: LABEL });
  expect(await mac.manager.status(mac.definition)).toMatchObject({
    loaded: false,
    runtime: { status: "stopped" },
  });
  expect(await mac.manager.start(mac.definition)).toEqual({ result: "started", label: LABEL });
  const before = mac.launchd.running.get(LABEL)?.pid;
  expect(await mac.manager.restart(mac.definition)).toEqual({ result: "restarted", label: LABEL });
  expect(mac.launchd.calls.at(-1)).toBe(`launchctl kickstart -k gui/501/${LABEL}`);
  expect(mac.launchd.running.get(LABEL)?.pid).not.toBe(before);
});

test("an agent that was disabled is enabled again by a start", async () => {
  await using mac = await createMac();
  await mac.manager.install(mac.definition);
  await mac.manager.stop(mac.definition, { disable: true });
  expect(mac.launchd.calls.at(-1)).toBe(`launchctl disable gui/501/${LABEL}`);
  await mac.manager.start(mac.definition);
  expect(mac.launchd.running.has(LABEL)).toBe(true);
});

test("a new agent waits until the former one has ended", async () => {
  await using mac = await createMac({ lingers: 3 });
  await mac.manager.install(mac.definition);
  expect(await mac.manager.install(mac.definition, { force: true })).toMatchObject({
    result: "updated",
  });
  expect(mac.slept).toEqual([100, 100, 100]);
  expect(mac.launchd.running.has(LABEL)).toBe(true);
});

test("an agent that does not end is a failure, not an endless wait", async () => {
  await using mac = await createMac({ lingers: 1_000_000 });
  await mac.manager.install(mac.definition);
  await expect(mac.manager.stop(mac.definition)).rejects.toMatchObject({
    code: "COMMAND_TIMED_OUT",
  });
});

test("uninstalling moves the file to the Trash, beside an earlier one", async () => {
  await using mac = await createMac();
  for (const name of [`${LABEL}.plist`, `${LABEL}.plist.2`]) {
    // oxlint-disable-next-line no-await-in-loop
    await mac.manager.install(mac.definition);
    // oxlint-disable-next-line no-await-in-loop
    expect(await mac.manager.uninstall(mac.definition)).toEqual({
      result: "uninstalled",
      label: LABEL,
      path: mac.plist,
      movedTo: mac.home.file(".Trash", name),
    });
    expect(existsSync(mac.plist)).toBe(false);
    expect(existsSync(mac.home.file(".Trash", name))).toBe(true);
  }
  expect(mac.launchd.running.size).toBe(0);
  expect(await mac.manager.uninstall(mac.definition)).toMatchObject({ result: "not-installed" });
  expect(await mac.manager.restart(mac.definition)).toMatchObject({ result: "not-loaded" });
});

test("without a graphical session the refusal says so, and no file stays", async () => {
  await using mac = await createMac({ hasNoSession: true });
  await expect(mac.manager.install(mac.definition)).rejects.toMatchObject({
    code: "NO_GUI_SESSION",
    hints: expect.arrayContaining([expect.stringContaining("SSH")]),
  });
  expect(existsSync(mac.plist)).toBe(false);
});

test("without launchctl the refusal says so", async () => {
  await using mac = await createMac();
  const manager = createServiceManager({
    platform: "darwin",
    home: mac.home.path,
    uid: 501,
    user: "me",
    run: async (file) => ({
      code: null,
      stdout: "",
      stderr: `spawn ${file} ENOENT`,
      failure: "missing",
    }),
  });
  await expect(manager.install(mac.definition)).rejects.toMatchObject({
    code: "SUPERVISOR_MISSING",
  });
  expect(await manager.status(mac.definition)).toMatchObject({
    loaded: false,
    runtime: { status: "unknown" },
  });
});

test("a label whose file is gone is told, and uninstalled", async () => {
  await using mac = await createMac();
  await mac.manager.install(mac.definition);
  await rm(mac.plist);
  expect(await mac.manager.status(mac.definition)).toMatchObject({
    loaded: true,
    command: null,
    runtime: { status: "running", cachedLabel: true },
  });
  expect(await mac.manager.uninstall(mac.definition)).toMatchObject({ result: "uninstalled" });
  expect(mac.launchd.running.size).toBe(0);
});

test("a program that refuses its configuration is stopped, with the code it ended with", async () => {
  await using mac = await createMac({ program: "ends with 78" });
  await mac.manager.install(mac.definition);
  expect((await mac.manager.status(mac.definition)).runtime).toEqual({
    status: "stopped",
    state: "not running",
    lastExitStatus: 78,
  });
});

test("an agent of somebody else under our name is kept aside when it is replaced", async () => {
  await using mac = await createMac();
  await mkdir(mac.home.file("Library", "LaunchAgents"), { recursive: true });
  await writeFile(mac.plist, "<plist><dict/></plist>");
  const outcome = await mac.manager.install(mac.definition, { force: true });
  expect(outcome).toMatchObject({ result: "updated", backupPath: `${mac.plist}.bak` });
  expect(await readFile(`${mac.plist}.bak`, "utf8")).toBe("<plist><dict/></plist>");
});

test("a binary property list is read through plutil", async () => {
  await using mac = await createMac({
    plutil: () =>
      `<plist><dict><key>ProgramArguments</key><array><string>/usr/bin/bun</string><string>x.js</string><string>gateway</string></array></dict></plist>`,
  });
  await mkdir(mac.home.file("Library", "LaunchAgents"), { recursive: true });
  await writeFile(mac.plist, "bplist00…");
  const { command, configAudit } = await mac.manager.status(mac.definition);
  expect(command?.programArguments).toEqual(["/usr/bin/bun", "x.js", "gateway"]);
  expect(mac.launchd.calls).toContain(`plutil -convert xml1 -o - ${mac.plist}`);
  expect(configAudit.issues.map(({ code }) => code)).toEqual([
    "gateway-path-missing",
    "gateway-runtime-bun",
    "launchd-keep-alive",
    "launchd-run-at-load",
  ]);
});

test("a definition that cannot be read is an issue, and no failure of the status", async () => {
  await using mac = await createMac();
  await mkdir(mac.home.file("Library", "LaunchAgents"), { recursive: true });
  await writeFile(mac.plist, "garbage");
  expect(await mac.manager.status(mac.definition)).toMatchObject({
    command: null,
    configAudit: { ok: false, issues: [{ code: "definition-unreadable" }] },
  });
});

test("what a former release wrote is shown without its secrets, and audited", async () => {
  await using mac = await createMac();
  await mkdir(mac.home.file("Library", "LaunchAgents"), { recursive: true });
  await writeFile(
    mac.plist,
    `<plist><dict><key>Label</key><string>${LABEL}</string><key>RunAtLoad</key><true/><key>KeepAlive</key><true/>
    <key>ProgramArguments</key><array><string>/usr/local/bin/node</string><string>/old.js</string><string>gateway</string><string>--token</string><string>hush</string><string>--password=hush</string></array>
    <key>EnvironmentVariables</key><dict><key>OPENCLAW_GATEWAY_TOKEN</key><string>hush</string><key>OPENCLAW_PROFILE</key><string>work</string><key>PATH</key><string>/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin</string></dict></dict></plist>`,
  );
  const status = await mac.manager.status({ kind: "gateway" }, { entrypoint: "/new.js" });
  expect(JSON.stringify(status)).not.toContain("hush");
  expect(status).toMatchObject({
    command: {
      programArguments: [
        "/usr/local/bin/node",
        "/old.js",
        "gateway",
        "--token",
        "…",
        "--password=…",
      ],
      environment: { OPENCLAW_PROFILE: "work" },
    },
    configAudit: {
      ok: false,
      issues: [
        { code: "gateway-entrypoint-mismatch", detail: "/old.js instead of /new.js" },
        { code: "service-secret-embedded", detail: "OPENCLAW_GATEWAY_TOKEN, --token, --password" },
      ],
    },
  });
});

test("leftovers need a known name and a marker; the system's are reported when asked deeply", async () => {
  await using mac = await createMac();
  const agents = mac.home.file("Library", "LaunchAgents");
  await mkdir(agents, { recursive: true });
  const agent = (label: string, ...args: string[]) =>
    writeFile(
      `${agents}/${label}.plist`,
      `<plist><dict><key>Label</key><string>${label}</string><key>ProgramArguments</key><array>${args.map((arg) => `<string>${arg}</string>`).join("")}</array><key>KeepAlive</key><true/></dict></plist>`,
    );
  await agent("com.clawdbot.gateway", "/bin/node", "/c.js", "gateway", "--port", "18789");
  await agent("bot.molt.work", "/bin/node", "/m.js", "gateway");
  await agent("com.clawdbot.mac", "/Applications/Clawdbot.app/Contents/MacOS/Clawdbot");
  await agent("bot.molt.node", "/bin/node", "/m.js", "node", "run");
  await agent("com.openclaw.ssh-tunnel", "/usr/bin/ssh", "-N", "remote-gateway");
  await agent("bot.molt.ssh-tunnel", "/usr/bin/ssh", "-N", "remote-gateway");
  await agent("com.apple.something", "/bin/openclaw");
  await writeFile(`${agents}/com.clawdbot.ssh-tunnel.plist`, "<plist><dict/></plist>");
  const found = await mac.manager.findLeftovers();
  expect(found.map(({ label, kind, recommendation }) => [label, kind, recommendation])).toEqual([
    ["bot.molt.node", "node", "remove"],
    ["bot.molt.ssh-tunnel", "tunnel", "replace"],
    ["bot.molt.work", "gateway", "remove"],
    ["com.clawdbot.gateway", "gateway", "remove"],
    ["com.openclaw.ssh-tunnel", "tunnel", "remove"],
  ]);

  const daemons = mac.systemRoot.file("Library", "LaunchDaemons");
  await mkdir(daemons, { recursive: true });
  await copyFile(`${agents}/com.clawdbot.gateway.plist`, `${daemons}/com.clawdbot.gateway.plist`);
  const deep = await mac.manager.findLeftovers({ deep: true });
  expect(deep.slice(0, found.length)).toEqual(found);
  expect(deep.slice(found.length)).toMatchObject([
    { path: `${daemons}/com.clawdbot.gateway.plist`, scope: "system", recommendation: "report" },
  ]);
});

test("a leftover is booted out and goes to the Trash", async () => {
  await using mac = await createMac();
  const agents = mac.home.file("Library", "LaunchAgents");
  await mkdir(agents, { recursive: true });
  const path = `${agents}/com.openclaw.ssh-tunnel.plist`;
  await writeFile(
    path,
    `<plist><dict><key>Label</key><string>com.openclaw.ssh-tunnel</string><key>ProgramArguments</key><array><string>/usr/bin/ssh</string></array><key>RunAtLoad</key><true/></dict></plist>`,
  );
  await mac.launchd.run("launchctl", ["bootstrap", "gui/501", path], { timeoutMs: 1 });
  const [leftover] = await mac.manager.findLeftovers();
  if (leftover === undefined) throw new Error("nothing was found");
  expect(await mac.manager.removeLeftover(leftover)).toEqual({
    label: "com.openclaw.ssh-tunnel",
    path,
    movedTo: mac.home.file(".Trash", "com.openclaw.ssh-tunnel.plist"),
  });
  expect(mac.launchd.running.size).toBe(0);
  expect(await mac.manager.findLeftovers()).toEqual([]);
});

test("what is no leftover is not removed, whatever is claimed of it", async () => {
  await using mac = await createMac();
  const agents = mac.home.file("Library", "LaunchAgents");
  await mkdir(agents, { recursive: true });
  const path = `${agents}/com.openclaw.ssh-tunnel.plist`;
  await writeFile(path, "<plist><dict/></plist>");
  const claimed = {
    kind: "tunnel",
    supervisor: "launchd",
    label: "com.openclaw.ssh-tunnel",
    path,
    scope: "user",
    recommendation: "remove",
    reason: "",
    secrets: [],
  } as const;
  const elsewhere = mac.home.file("com.openclaw.ssh-tunnel.plist");
  await writeFile(elsewhere, "openclaw");
  for (const leftover of [
    claimed,
    { ...claimed, path: elsewhere },
    { ...claimed, label: "com.apple.Finder", path: `${agents}/com.apple.Finder.plist` },
    { ...claimed, scope: "system" as const },
    { ...claimed, supervisor: "systemd" as const, label: "clawdbot.service" },
  ]) {
    // oxlint-disable-next-line no-await-in-loop
    await expect(mac.manager.removeLeftover(leftover)).rejects.toMatchObject({
      code: "NOT_A_LEFTOVER",
    });
  }
  expect(existsSync(path)).toBe(true);
  expect(existsSync(elsewhere)).toBe(true);
  expect(mac.launchd.calls).toEqual([]);
});
