import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { temporaryDirectory } from "@openclaw/testkit";
import { expect, test } from "vitest";
import {
  type CommandResult,
  type CommandRunner,
  createServiceManager,
  type ServiceDefinition,
  ServiceError,
} from "../src/index.ts";

const DEFINITION: ServiceDefinition = {
  kind: "gateway",
  description: "OpenClaw Gateway",
  programArguments: ["/usr/bin/node", "/opt/openclaw.js", "gateway", "run"],
};

type Answer = (args: readonly string[]) => Partial<CommandResult>;

/** A machine whose commands answer as told; by default everything succeeds in silence. */
async function createLinux(answers: { systemctl?: Answer; loginctl?: Answer }) {
  const home = await temporaryDirectory();
  const root = await temporaryDirectory();
  const calls: string[] = [];
  const run: CommandRunner = async (file, args) => {
    calls.push([file, ...args].join(" "));
    const answer = file === "systemctl" ? answers.systemctl : answers.loginctl;
    return { code: 0, stdout: "", stderr: "", ...answer?.(args) };
  };
  const manager = createServiceManager({
    platform: "linux",
    home: home.path,
    uid: 1000,
    user: "me",
    run,
    systemRoot: root.path,
  });
  return {
    home,
    root,
    calls,
    manager,
    async [Symbol.asyncDispose]() {
      await home[Symbol.asyncDispose]();
      await root[Symbol.asyncDispose]();
    },
  };
}

const running: Answer = (args) =>
  args.includes("is-system-running") ? { stdout: "running\n" } : {};

test.each<[string, string, Partial<CommandResult>, string]>([
  ["no systemctl", "SUPERVISOR_MISSING", { code: null, failure: "missing" }, "foreground"],
  [
    "a container",
    "SUPERVISOR_MISSING",
    {
      code: 1,
      stderr: "System has not been booted with systemd as init system (PID 1). Can't operate.",
    },
    "foreground",
  ],
  [
    "another program as process 1",
    "SUPERVISOR_MISSING",
    { code: 1, stdout: "offline\n" },
    "foreground",
  ],
  [
    "no user bus",
    "USER_BUS_UNAVAILABLE",
    { code: 1, stdout: "offline\n", stderr: "Failed to connect to bus: No such file or directory" },
    "sudo loginctl enable-linger me",
  ],
  [
    "a shell of su",
    "USER_BUS_UNAVAILABLE",
    {
      code: 1,
      stderr:
        "Failed to connect to user scope bus via local transport: $DBUS_SESSION_BUS_ADDRESS and $XDG_RUNTIME_DIR not defined (consider using --machine=<user>@.host --user to connect to bus of other user)",
    },
    "su and sudo",
  ],
  [
    "a refusal",
    "ACCESS_DENIED",
    { code: 1, stderr: "Failed to connect to bus: Access denied" },
    "",
  ],
  ["no answer in time", "COMMAND_TIMED_OUT", { code: null, failure: "timeout" }, ""],
])(
  "with %s an installation is refused as %s before anything is written",
  async (_name, code, answer, hint) => {
    await using linux = await createLinux({ systemctl: () => answer });
    const outcome = linux.manager.install(DEFINITION);
    await expect(outcome).rejects.toMatchObject({ code });
    await expect(outcome).rejects.toSatisfy(
      (error) => error instanceof ServiceError && `${error.hints.join(" ")} `.includes(hint),
    );
    expect(existsSync(linux.home.file(".config"))).toBe(false);
    expect(await linux.manager.status(DEFINITION)).toMatchObject({
      loaded: false,
      runtime: { status: "unknown" },
    });
  },
);

test("the steps of an installation are those of systemctl, in order", async () => {
  await using linux = await createLinux({
    systemctl: running,
    loginctl: () => ({ stdout: "Linger=yes\n" }),
  });
  await linux.manager.install(DEFINITION);
  const unit = "openclaw-gateway.service";
  expect(linux.calls).toEqual([
    "systemctl --user is-system-running",
    "systemctl --user daemon-reload",
    `systemctl --user enable ${unit}`,
    `systemctl --user reset-failed ${unit}`,
    `systemctl --user restart ${unit}`,
    "loginctl show-user me -p Linger",
  ]);
});

const WARNING =
  "The service stops when me logs out. To keep it running: sudo loginctl enable-linger me";

test("without lingering there is a warning with the command, and nothing is changed", async () => {
  await using linux = await createLinux({
    systemctl: running,
    loginctl: () => ({ stdout: "Linger=no\n" }),
  });
  expect((await linux.manager.install(DEFINITION)).warnings).toEqual([WARNING]);
  expect(linux.calls).not.toContain("loginctl enable-linger me");
});

test("lingering is switched on when asked for, or the warning stays", async () => {
  await using allowed = await createLinux({
    systemctl: running,
    loginctl: ([verb]) => (verb === "show-user" ? { stdout: "Linger=no\n" } : {}),
  });
  expect((await allowed.manager.install(DEFINITION, { enableLinger: true })).warnings).toEqual([]);
  expect(allowed.calls).toContain("loginctl enable-linger me");
  await using refused = await createLinux({
    systemctl: running,
    loginctl: ([verb]) =>
      verb === "show-user"
        ? { stdout: "Linger=no\n" }
        : { code: 1, stderr: "Could not enable linger: Interactive authentication required." },
  });
  expect((await refused.manager.install(DEFINITION, { enableLinger: true })).warnings).toEqual([
    WARNING,
  ]);
});

test("for a user who is not logged in the mark of lingering is a file", async () => {
  const loginctl = () => ({ code: 1, stderr: "Failed to get user: User ID 1000 is not logged in" });
  await using linux = await createLinux({ systemctl: running, loginctl });
  expect((await linux.manager.install(DEFINITION)).warnings).toEqual([]);
  const marks = linux.root.file("var", "lib", "systemd", "linger");
  await mkdir(marks, { recursive: true });
  expect((await linux.manager.install(DEFINITION, { force: true })).warnings).toEqual([WARNING]);
  await writeFile(`${marks}/me`, "");
  expect((await linux.manager.install(DEFINITION, { force: true })).warnings).toEqual([]);
});

test("a failed replacement puts the former unit back", async () => {
  let isBroken = false;
  await using linux = await createLinux({
    systemctl: (args) =>
      isBroken && args.includes("restart") ? { code: 1, stderr: "no" } : running(args),
  });
  await linux.manager.install(DEFINITION);
  isBroken = true;
  const changed = { ...DEFINITION, description: "another" };
  await expect(linux.manager.install(changed, { force: true })).rejects.toMatchObject({
    code: "COMMAND_FAILED",
    details: { exitCode: 1, output: "no" },
  });
  expect((await linux.manager.read(DEFINITION))?.description).toBe("OpenClaw Gateway");
});

test("a folder that cannot be written is told with its path", async () => {
  await using linux = await createLinux({ systemctl: running });
  await writeFile(linux.home.file(".config"), "a file where a folder belongs");
  await expect(linux.manager.install(DEFINITION)).rejects.toMatchObject({
    code: "FILE_FAILED",
    details: { path: linux.home.file(".config/systemd/user/openclaw-gateway.service") },
  });
});

test("the tutorial's system unit is found only when asked deeply, and reported with its secret's name", async () => {
  await using linux = await createLinux({ systemctl: running });
  const folder = linux.root.file("etc", "systemd", "system");
  await mkdir(folder, { recursive: true });
  await mkdir(linux.root.file("usr", "lib", "systemd", "system"), { recursive: true });
  await writeFile(
    `${folder}/clawdbot.service`,
    `[Unit]\nDescription=Clawdbot Gateway\n[Service]\nType=simple\nUser=me\nExecStart=/usr/bin/clawdbot gateway start\nRestart=on-failure\nRestartSec=5s\nEnvironment="CLAWDBOT_GATEWAY_PASSWORD=hush"\n[Install]\nWantedBy=multi-user.target\n`,
  );
  await writeFile(`${folder}/nginx.service`, "[Service]\nExecStart=/usr/sbin/nginx # openclaw\n");
  expect(await linux.manager.findLeftovers()).toEqual([]);
  const [leftover, ...others] = await linux.manager.findLeftovers({ deep: true });
  expect(others).toEqual([]);
  expect(leftover).toMatchObject({
    label: "clawdbot.service",
    scope: "system",
    recommendation: "report",
    secrets: ["CLAWDBOT_GATEWAY_PASSWORD"],
    service: { programArguments: ["/usr/bin/clawdbot", "gateway", "start"] },
  });
  if (leftover === undefined) return;
  await expect(linux.manager.removeLeftover(leftover)).rejects.toMatchObject({
    code: "NOT_A_LEFTOVER",
    hints: [expect.stringContaining("sudo systemctl disable --now clawdbot.service")],
  });
});

test("a leftover stays when systemd cannot be asked to stop it", async () => {
  await using linux = await createLinux({
    systemctl: () => ({ code: 1, stderr: "Failed to connect to bus: No medium found" }),
  });
  const folder = linux.home.file(".config", "systemd", "user");
  await mkdir(folder, { recursive: true });
  const path = `${folder}/moltbot-gateway-work.service`;
  await writeFile(path, "[Service]\nExecStart=/usr/bin/moltbot gateway\n");
  const [leftover] = await linux.manager.findLeftovers();
  if (leftover === undefined) throw new Error("nothing was found");
  await expect(linux.manager.removeLeftover(leftover)).rejects.toMatchObject({
    code: "USER_BUS_UNAVAILABLE",
  });
  expect(existsSync(path)).toBe(true);
});

test("a platform without a known supervisor is refused by name", () => {
  expect(() => createServiceManager({ platform: "freebsd", home: "/home/me" })).toThrow(
    expect.objectContaining({
      code: "UNSUPPORTED_PLATFORM",
      message: expect.stringContaining("freebsd"),
    }),
  );
});
