import { execFile } from "node:child_process";
import process from "node:process";
import { readProcessTable, type ProcessRow } from "./process-table.ts";

/** Time between the request to end and the end by force. */
export const DEFAULT_KILL_GRACE_MS = 2_000;

const LOOK_AGAIN_MS = 50;
// A tree that forks faster than it is killed is looked at this often before it is given up.
const MAX_KILL_ROUNDS = 40;

export interface ProcessTree {
  /** The process that was started, leader of its own group and session. */
  readonly pid: number;
  /** Text in the environment of the whole tree, and in no other. */
  readonly mark: string;
}

/**
 * Ends a process with everything that it started: its group, its session, its descendants, and on
 * Linux also those that have left all three, recognised by the mark in their environment. First
 * politely, after `graceMs` by force.
 *
 * @returns how many processes are left, which is 0 unless they cannot be signalled
 */
export async function killProcessTree(
  tree: ProcessTree,
  graceMs: number = DEFAULT_KILL_GRACE_MS,
): Promise<number> {
  if (process.platform === "win32") return killOnWindows(tree.pid);
  // Once seen, a process belongs to the tree, also when its parent has ended since.
  const seen = new Set<number>([tree.pid]);
  const politeUntil = performance.now() + graceMs;
  const asked = new Set<number>();
  let rows = await members(tree, seen);
  while (rows.length > 0 && performance.now() < politeUntil) {
    for (const { pid } of rows) {
      if (!asked.has(pid)) signal(pid, "SIGTERM");
      asked.add(pid);
    }
    await delay(LOOK_AGAIN_MS);
    rows = await members(tree, seen);
  }
  for (let round = 0; rows.length > 0 && round < MAX_KILL_ROUNDS; round += 1) {
    // The whole group in one call, so that it cannot outrun the list.
    signal(-tree.pid, "SIGKILL");
    for (const { pid } of rows) signal(pid, "SIGKILL");
    await delay(LOOK_AGAIN_MS);
    rows = await members(tree, seen);
  }
  return rows.length;
}

/** The living members of a tree. Never this process, its ancestors, or the first one of the system. */
async function members(tree: ProcessTree, seen: Set<number>): Promise<ProcessRow[]> {
  const rows = await readProcessTable(tree.mark);
  const isMember = (row: ProcessRow): boolean =>
    row.group === tree.pid || row.session === tree.pid || row.isMarked || seen.has(row.pid);
  const byParent = Map.groupBy(rows, (row) => row.parent);
  const found = new Map<number, ProcessRow>();
  const queue = rows.filter(isMember);
  for (let row = queue.pop(); row !== undefined; row = queue.pop()) {
    if (row.pid <= 1 || row.pid === process.pid || row.pid === process.ppid) continue;
    if (found.has(row.pid)) continue;
    found.set(row.pid, row);
    queue.push(...(byParent.get(row.pid) ?? []));
  }
  // Numbers of ended processes may be given to others.
  seen.clear();
  for (const pid of found.keys()) seen.add(pid);
  return [...found.values()];
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended meanwhile, or runs as somebody else; the next look tells.
  }
}

function killOnWindows(pid: number): Promise<number> {
  return new Promise((resolve) => {
    execFile("taskkill", ["/PID", String(pid), "/T", "/F"], { windowsHide: true }, (error) => {
      resolve(error === null ? 0 : 1);
    });
  });
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
