import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { startProcess, temporaryDirectory } from "@openclaw/testkit";
import { vi } from "vitest";
import { type CommandRunner, createCommandRunner } from "../src/index.ts";
import { skipReason } from "./skip-reason.ts";

const SYSTEMD = "/usr/lib/systemd/systemd";
const UNSHARE = "/usr/bin/unshare";

/** A real systemd user manager, with a home and a table of processes of its own. */
export interface UserManager extends AsyncDisposable {
  readonly home: string;
  /** Runs a command where the manager is. */
  readonly run: CommandRunner;
}

/**
 * The init of the new namespaces: makes it look as if systemd had booted the machine, gives the
 * manager a control group to work in, and starts it. As process 1 it could not do that: systemd
 * takes itself for the system's then.
 */
const INIT = `
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir /sys/fs/cgroup/init
echo $$ > /sys/fs/cgroup/init/cgroup.procs
${SYSTEMD} --user --log-level=warning &
echo started
wait
`;

/** Enters the control group that is the new root, before the namespaces are made. */
const ENTER = `
echo $$ > "$1/cgroup.procs"
exec unshare --mount --pid --cgroup --fork --kill-child --mount-proc sh -c "$2"
`;

/** Whether a manager can be started here; says why not. */
export function canRunUserManager(): boolean {
  if (process.platform !== "linux") return skipReason("systemd runs on Linux");
  if (!existsSync(SYSTEMD)) return skipReason(`${SYSTEMD} is missing; apt-get install systemd`);
  if (process.getuid?.() !== 0) return skipReason("a systemd of its own needs root");
  const root = cgroupRoot();
  if (root === undefined) return skipReason("there is no cgroup2 hierarchy");
  const probe = join(root, `openclaw-probe-${process.pid}`);
  try {
    mkdirSync(probe);
    rmdirSync(probe);
  } catch {
    return skipReason(`no control group can be made in ${root}`);
  }
  const namespaces = ["--mount", "--pid", "--cgroup", "--fork", "true"];
  if (spawnSync(UNSHARE, namespaces).status === 0) return true;
  return skipReason("no namespaces can be made, as in most containers");
}

/** Starts a manager and waits until it answers. Disposing of it ends it with everything it runs. */
export async function startUserManager(): Promise<UserManager> {
  const root = cgroupRoot();
  if (root === undefined) throw new Error("there is no cgroup2 hierarchy");
  const directory = await temporaryDirectory("openclaw-systemd-");
  const group = join(root, directory.path.split("/").at(-1) ?? "");
  mkdirSync(group);
  const home = directory.file("home");
  const runtime = directory.file("run");
  await mkdir(home);
  await mkdir(runtime, { mode: 0o700 });
  const env = { HOME: home, XDG_RUNTIME_DIR: runtime, PATH: "/usr/bin:/bin:/usr/sbin:/sbin" };
  const manager = startProcess("sh", ["-c", ENTER, "sh", group, INIT], { env });

  async function end(): Promise<void> {
    await manager.kill();
    await removeGroup(group);
    await directory[Symbol.asyncDispose]();
  }

  try {
    await manager.line("started", { deadlineMs: 20_000 });
    const init = String(childOf(manager.pid));
    const runHere = createCommandRunner({ env });
    const run: CommandRunner = (file, args, options) =>
      runHere(
        "nsenter",
        ["--target", init, "--mount", "--pid", "--cgroup", "--", file, ...args],
        options,
      );
    await answers(run);
    return { home, run, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function answers(run: CommandRunner): Promise<void> {
  await vi.waitFor(async () => {
    const { stdout, stderr } = await run("systemctl", ["--user", "is-system-running"], {
      timeoutMs: 5_000,
    });
    if (!/^(?:running|degraded)\n$/u.test(stdout)) throw new Error(`${stdout}${stderr}`);
  });
}

function cgroupRoot(): string | undefined {
  return ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].find((folder) =>
    existsSync(join(folder, "cgroup.subtree_control")),
  );
}

function childOf(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  if (!/^\d+$/u.test(children)) throw new Error(`${pid} has the children ${children}`);
  return Number(children);
}

/** The groups of what has just been killed stay busy for a moment. */
async function removeGroup(group: string): Promise<void> {
  await vi.waitFor(() => removeTree(group));
}

function removeTree(group: string): void {
  for (const entry of readdirSync(group, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(group, entry.name));
  }
  rmdirSync(group);
}
