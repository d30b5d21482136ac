import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { DEFAULT_DEADLINE_MS } from "../deadline.ts";

/**
 * The processes of a server whose sessions leave its process group: sshd's call setsid(). A session
 * is known by its parents, or, when those have ended, by the error output it has inherited.
 */
export interface ProcessTree {
  /** Children of the root, and what is left of the children of its children. */
  sessions(): number[];
  /** Everything but the root. */
  descendants(): number[];
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL for everything but the root; resolves when it is gone. */
  killDescendants(): Promise<void>;
  /** SIGKILL for the root too. */
  kill(): Promise<void>;
}

interface ProcessEntry {
  pid: number;
  parent: number;
  state: string;
}

/** How often a process that was killed is looked for. */
const POLL_MS = 5;

/** Follows the process `root` and what it starts, through /proc. */
export function followProcessTree(root: number): ProcessTree {
  const errorOutput = linkOf(root);
  if (errorOutput === undefined) throw new Error(`process ${root} cannot be followed`);

  function family(): ProcessEntry[] {
    const all = listProcesses();
    // The root too only by that sign: when it has ended, its number may be somebody else's.
    const known = new Set(all.map(({ pid }) => pid).filter((pid) => linkOf(pid) === errorOutput));
    // A child may stand before its parent in the list: again until nothing is added.
    for (let size = 0; size !== known.size;) {
      size = known.size;
      for (const { pid, parent } of all) if (known.has(parent)) known.add(pid);
    }
    return all.filter(({ pid }) => known.has(pid) && pid !== process.pid);
  }

  function descendants(): number[] {
    return family()
      .filter(({ pid }) => pid !== root)
      .map(({ pid }) => pid);
  }

  async function end(list: () => number[]): Promise<void> {
    // A process that stands still starts no other: first all of them are stopped, then killed.
    for (let stopped = -1, pids = list(); stopped !== pids.length; pids = list()) {
      stopped = pids.length;
      for (const pid of pids) send(pid, "SIGSTOP");
    }
    const deadlineAt = performance.now() + DEFAULT_DEADLINE_MS;
    for (let pids = list(); pids.length > 0; pids = list()) {
      if (performance.now() > deadlineAt) throw new Error(`processes ${pids.join()} do not end`);
      for (const pid of pids) send(pid, "SIGKILL");
      await new Promise((resolve) => realSetTimeout(resolve, POLL_MS));
    }
  }

  return {
    sessions() {
      const list = family();
      const pids = new Set(list.map(({ pid }) => pid));
      return list
        .filter(({ pid, parent }) => pid !== root && (parent === root || !pids.has(parent)))
        .map(({ pid }) => pid);
    },
    descendants,
    signal(signal) {
      // Twice: when it is SIGSTOP, a process may have started another before it was its turn.
      for (let round = 0; round < 2; round += 1) {
        for (const { pid } of family()) send(pid, signal);
      }
    },
    killDescendants: () => end(descendants),
    kill: () => end(() => family().map(({ pid }) => pid)),
  };
}

const { setTimeout: realSetTimeout } = globalThis;

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It has ended in the meantime.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** All processes that run; one that has ended and waits for its parent to notice does not. */
function listProcesses(): ProcessEntry[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/u.test(name))
    .map((name) => readEntry(Number(name)))
    .filter((entry) => entry !== undefined && entry.state !== "Z" && entry.state !== "X")
    .filter((entry) => entry !== undefined);
}

function readEntry(pid: number): ProcessEntry | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name stands in parentheses and may hold some itself.
    const [state = "", parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { pid, parent: Number(parent), state };
  } catch {
    return undefined;
  }
}

/** What standard error of a process is; undefined when it has ended or belongs to somebody else. */
function linkOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/fd/2`);
  } catch {
    return undefined;
  }
}
