import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { promisify } from "node:util";

/** Tells one process from every other, also from a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Of the system, since its last start; empty where the system tells none. */
  readonly bootId: string;
  /** When the process began, as the system writes it; empty where it does not tell. */
  readonly startTime: string;
}

/** Looks a process up; undefined when there is none, or only its exit code is left. */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  if (process.platform === "linux") return identifyOnLinux(pid);
  if (process.platform === "win32")
    return isThere(pid) ? { pid, bootId: "", startTime: "" } : undefined;
  return identifyWithPs(pid);
}

/** Whether the very process that was identified so still runs. */
export async function isStillRunning(identity: ProcessIdentity): Promise<boolean> {
  const present = await identifyProcess(identity.pid);
  return (
    present !== undefined &&
    present.bootId === identity.bootId &&
    present.startTime === identity.startTime
  );
}

async function identifyOnLinux(pid: number): Promise<ProcessIdentity | undefined> {
  try {
    const [stat, bootId] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "utf8"),
      readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => ""),
    ]);
    // The name stands in parentheses and may hold some itself. Fields are counted from the third.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state = "Z"] = fields;
    if (state === "Z" || state === "X") return undefined;
    return { pid, bootId: bootId.trim(), startTime: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}

async function identifyWithPs(pid: number): Promise<ProcessIdentity | undefined> {
  try {
    const { stdout } = await promisify(execFile)(
      "/bin/ps",
      ["-o", "state=,lstart=", "-p", String(pid)],
      { env: { LC_ALL: "C", TZ: "UTC" }, encoding: "utf8", timeout: 5_000 },
    );
    const [state = "Z", ...startTime] = stdout.trim().split(/\s+/u);
    return state.startsWith("Z") ? undefined : { pid, bootId: "", startTime: startTime.join(" ") };
  } catch {
    // ps ends with 1 when there is no such process.
    return undefined;
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
