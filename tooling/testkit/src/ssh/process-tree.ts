import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { DEFAULT_DEADLINE_MS } from "../deadline.ts";

/** The processes of an SSH server, whose sessions leave its process group: they call setsid(). */
export interface ProcessTree {
  /** One process a connection; also those that a server which has ended has left behind. */
  sessions(): number[];
  /** To the server, its sessions and the commands that they run. */
  signal(signal: NodeJS.Signals): void;
  /** SIGKILL for all but the server; resolves when they are gone. */
  killSessions(): Promise<void>;
  /** SIGKILL for the server too. */
  kill(): Promise<void>;
}

interface ProcessEntry {
  pid: number;
  parent: number;
}

/** How often a process that was killed is looked for. */
const POLL_MS = 5;

const { setTimeout: realSetTimeout } = globalThis;

/**
 * Follows the server `root`, which listens on `port`, through /proc.
 *
 * The server and its sessions are known by the error output that they have in common, commands by
 * their parents, and those that have outlived their session by the variable it has set for them.
 * The number of a process proves nothing: when it has ended, the number may be somebody else's.
 */
export function followProcessTree(root: number, port: number): ProcessTree {
  const errorOutput = linkOf(root);
  if (errorOutput === undefined) throw new Error(`process ${root} cannot be followed`);
  const isCommand = new RegExp(`(^|\0)SSH_CONNECTION=[^\0]* 127\\.0\\.0\\.1 ${port}\0`, "u");

  function servers(all: readonly ProcessEntry[]): ProcessEntry[] {
    return all.filter(({ pid }) => linkOf(pid) === errorOutput);
  }

  function family(): number[] {
    const all = listProcesses();
    const known = new Set(servers(all).map(({ pid }) => pid));
    for (const { pid } of all) if (isCommand.test(environmentOf(pid))) known.add(pid);
    // A child may stand before its parent in the list: again until nothing is added.
    for (let size = 0; size !== known.size;) {
      size = known.size;
      for (const { pid, parent } of all) if (known.has(parent)) known.add(pid);
    }
    return [...known];
  }

  async function end(list: () => number[]): Promise<void> {
    // A process that stands still starts no other: first all of them are stopped, then killed.
    let doomed = list();
    for (let stopped = -1; stopped !== doomed.length; doomed = list()) {
      stopped = doomed.length;
      for (const pid of doomed) send(pid, "SIGSTOP");
    }
    for (const pid of doomed) send(pid, "SIGKILL");
    // Those that come meanwhile stay: a client that has lost its session begins another at once.
    const left = (): number[] => family().filter((pid) => doomed.includes(pid));
    const deadlineAt = performance.now() + DEFAULT_DEADLINE_MS;
    while (left().length > 0) {
      if (performance.now() > deadlineAt) throw new Error(`processes ${left().join()} do not end`);
      await new Promise((resolve) => realSetTimeout(resolve, POLL_MS));
    }
  }

  return {
    sessions() {
      const list = servers(listProcesses());
      const pids = new Set(list.map(({ pid }) => pid));
      return list
        .filter(({ pid, parent }) => pid !== root && (parent === root || !pids.has(parent)))
        .map(({ pid }) => pid);
    },
    signal(signal) {
      // Twice: when it is SIGSTOP, a process may have started another before it was its turn.
      for (let round = 0; round < 2; round += 1) for (const pid of family()) send(pid, signal);
    },
    killSessions: () => end(() => family().filter((pid) => pid !== root)),
    kill: () => end(family),
  };
}

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
    .flatMap((name) => readEntry(Number(name)));
}

function readEntry(pid: number): ProcessEntry[] {
  const stat = readText(`/proc/${pid}/stat`);
  // The name stands in parentheses and may hold some itself.
  const [state = "", parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return state === "" || state === "Z" || state === "X" ? [] : [{ pid, parent: Number(parent) }];
}

function environmentOf(pid: number): string {
  return readText(`/proc/${pid}/environ`);
}

/** Empty when the process has ended or belongs to somebody else. */
function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
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
