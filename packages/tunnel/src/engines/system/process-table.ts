import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { promisify } from "node:util";

/** What the system tells about a process that runs. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parentPid: number;
  readonly groupId: number;
  /**
   * When it began, as text that no other process with the same number ever has: on Linux the boot and
   * the clock tick, elsewhere the second.
   */
  readonly startTime: string;
  /** On Linux word by word; elsewhere one text, as `ps` prints it. */
  readonly commandLine: readonly string[];
}

/** Looks a process up; undefined when there is none, or only its exit code is left. */
export async function inspectProcess(pid: number): Promise<ProcessEntry | undefined> {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  return process.platform === "linux" ? inspectOnLinux(pid) : inspectWithPs(pid);
}

/** Whether both are one process that runs the same command line as before. */
export function isSameProcess(
  entry: Pick<ProcessEntry, "pid" | "startTime" | "commandLine">,
  other: Pick<ProcessEntry, "pid" | "startTime" | "commandLine">,
): boolean {
  return (
    entry.pid === other.pid &&
    entry.startTime === other.startTime &&
    entry.commandLine.length > 0 &&
    entry.commandLine.length === other.commandLine.length &&
    entry.commandLine.every((word, index) => word === other.commandLine[index])
  );
}

async function inspectOnLinux(pid: number): Promise<ProcessEntry | undefined> {
  try {
    const [stat, commandLine, bootId] = await Promise.all([
      readFile(`/proc/${pid}/stat`, "utf8"),
      readFile(`/proc/${pid}/cmdline`, "utf8"),
      readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => ""),
    ]);
    // The name stands in parentheses and may hold some itself. Fields are counted from the third.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state = "Z", parentPid, groupId] = fields;
    const ticks = fields[19];
    if (state === "Z" || state === "X" || ticks === undefined) return undefined;
    return {
      pid,
      parentPid: Number(parentPid),
      groupId: Number(groupId),
      startTime: `${bootId.trim()}/${ticks}`,
      // A program that writes its own title leaves zeros behind it.
      commandLine: commandLine.replace(/\0+$/u, "").split("\0"),
    };
  } catch {
    return undefined;
  }
}

const PS_LINE = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S+ \S+\s+\d+ [\d:]+ \d+)\s+(\S.*)$/u;

async function inspectWithPs(pid: number): Promise<ProcessEntry | undefined> {
  if (process.platform === "win32") return undefined;
  try {
    const { stdout } = await promisify(execFile)(
      "/bin/ps",
      ["-ww", "-o", "ppid=,pgid=,state=,lstart=,command=", "-p", String(pid)],
      { env: { LC_ALL: "C", TZ: "UTC" }, encoding: "utf8", timeout: 5_000 },
    );
    return parsePsLine(pid, stdout);
  } catch {
    // ps ends with 1 when there is no such process.
    return undefined;
  }
}

/** Reads what `ps -o ppid=,pgid=,state=,lstart=,command=` prints for one process. */
export function parsePsLine(pid: number, line: string): ProcessEntry | undefined {
  const match = PS_LINE.exec(line.trimEnd());
  if (!match) return undefined;
  const [, parentPid, groupId, state = "", startTime = "", command = ""] = match;
  if (state.startsWith("Z")) return undefined;
  return {
    pid,
    parentPid: Number(parentPid),
    groupId: Number(groupId),
    startTime: startTime.replace(/\s+/gu, " "),
    commandLine: [command],
  };
}
