import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import process from "node:process";

/** A process, as far as a tree of processes needs it. */
export interface ProcessRow {
  pid: number;
  parent: number;
  group: number;
  session: number;
  /** Still carries the mark in its environment. */
  isMarked: boolean;
}

/**
 * All processes that can be seen. On Linux those that carry `mark` in their environment are marked:
 * it is inherited also by those that have left their parent, group and session.
 */
export async function readProcessTable(mark: string): Promise<ProcessRow[]> {
  if (process.platform === "linux") return readProc(mark);
  return readPs();
}

async function readProc(mark: string): Promise<ProcessRow[]> {
  const names = await readdir("/proc");
  const rows = await Promise.all(
    names.filter((name) => /^\d+$/.test(name)).map((name) => readProcRow(name, mark)),
  );
  return rows.filter((row) => row !== undefined);
}

async function readProcRow(name: string, mark: string): Promise<ProcessRow | undefined> {
  try {
    const stat = await readFile(`/proc/${name}/stat`, "latin1");
    // The second field is the command in parentheses and may contain anything, so count from its end.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, parent, group, session] = fields;
    // A zombie is dead already and only waits for its parent to look.
    if (state === "Z" || state === "X") return undefined;
    const isMarked = await isMarkedProcess(name, mark);
    return {
      pid: Number(name),
      parent: Number(parent),
      group: Number(group),
      session: Number(session),
      isMarked,
    };
  } catch {
    // It ended meanwhile.
    return undefined;
  }
}

async function isMarkedProcess(name: string, mark: string): Promise<boolean> {
  try {
    const environ = await readFile(`/proc/${name}/environ`);
    return environ.includes(mark);
  } catch {
    // Somebody else's.
    return false;
  }
}

function readPs(): Promise<ProcessRow[]> {
  return new Promise((resolve) => {
    execFile("/bin/ps", ["-A", "-o", "pid=,ppid=,pgid=,stat="], (error, stdout) => {
      if (error !== null) return resolve([]);
      const rows: ProcessRow[] = [];
      for (const line of stdout.split("\n")) {
        const [pid, parent, group, state] = line.trim().split(/\s+/);
        if (pid === undefined || pid === "" || state?.startsWith("Z") === true) continue;
        rows.push({
          pid: Number(pid),
          parent: Number(parent),
          group: Number(group),
          session: 0,
          isMarked: false,
        });
      }
      resolve(rows);
    });
  });
}
