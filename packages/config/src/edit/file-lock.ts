import { execFileSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { link, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { ConfigError } from "../config-error.ts";
import { nodeCrypto } from "../node-crypto.ts";

/** Who works on the file. */
interface Holder {
  readonly pid: number;
  /** When the process started, as the system tells it: tells it from a later one with its pid. */
  readonly startedAt: string | null;
  /** Where the pid means something: a container or a machine has pids of its own. */
  readonly space: string | null;
  readonly nonce: string;
}

/** The first wait for another holder; each later one is longer, up to the last. */
const FIRST_WAIT_MS = 1;
const LAST_WAIT_MS = 25;

/** A lock that says nobody's name is being written, or was left by a crash; younger ones are the former. */
const UNREADABLE_AFTER_MS = 1_000;

/** No change takes so long: a lock of another container or machine that is older was left by a crash. */
const ELSEWHERE_AFTER_MS = 30_000;

// Locks of this very process: for its own pid the system cannot tell a live holder from an earlier
// process that had the same pid.
const heldHere = new Set<string>();

/** What is done with a lock. */
export interface LockedWork<T> {
  work(): Promise<T>;
  /** Called first when the former holder had died over its work. */
  tidy?: (isAlive: (pid: number) => boolean) => Promise<void>;
}

/**
 * Holds the lock file at `path` while the work is done. Waits for another holder that is alive, and
 * takes over from one that is not.
 *
 * @throws {@link ConfigError} `CONFIG_LOCKED` with the holder's pid, after `timeoutMs`;
 * `CONFIG_NOT_WRITTEN` where no lock file can be made
 */
export async function withFileLock<T>(
  path: string,
  timeoutMs: number,
  { work, tidy }: LockedWork<T>,
): Promise<T> {
  const self: Holder = {
    pid: process.pid,
    startedAt: startOf(process.pid),
    space: pidSpace(),
    nonce: nodeCrypto().randomUUID(),
  };
  heldHere.add(self.nonce);
  try {
    const isInherited = await acquire(path, self, timeoutMs).catch((cause: unknown) => {
      throw cause instanceof ConfigError ? cause : notLocked(path, cause);
    });
    try {
      if (isInherited) await tidy?.(isRunning);
      return await work();
    } finally {
      if ((await readHolder(path)).holder?.nonce === self.nonce) await rm(path, { force: true });
    }
  } finally {
    heldHere.delete(self.nonce);
  }
}

/** Returns whether the lock was taken over from somebody who had died with it. */
async function acquire(path: string, self: Holder, timeoutMs: number): Promise<boolean> {
  const startedAt = performance.now();
  // One draft for all attempts: who waits does not keep the disk busy.
  const draft = `${path}.${process.pid}.${nodeCrypto().randomUUID()}.tmp`;
  try {
    await writeFile(draft, JSON.stringify(self), { mode: 0o600, flag: "wx" });
    let seen: string | undefined;
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LAST_WAIT_MS)) {
      if (await claim(path, draft, self)) return false;
      const { text, holder } = await readHolder(path);
      // A holder that changes is alive; who stays is looked at more closely.
      if (text !== undefined && text === seen && (await isLeft(path, holder))) {
        if (await takeOver(path, text, self)) return true;
      }
      seen = text;
      const leftMs = timeoutMs - (performance.now() - startedAt);
      if (leftMs <= 0) throw locked(path, holder?.pid);
      // Not all at once, or the same one always comes first.
      const jitteredMs = waitMs * (0.5 + Math.random());
      await new Promise((resolve) => setTimeout(resolve, Math.min(jitteredMs, leftMs)));
    }
  } finally {
    await rm(draft, { force: true });
  }
}

/** Creates `path` with its whole content, unless it exists: nobody reads half a holder. */
async function claim(path: string, draft: string, self: Holder): Promise<boolean> {
  try {
    // Unlike rename, link refuses to replace.
    await link(draft, path);
    return true;
  } catch (error) {
    if (isCode(error, "EEXIST")) return false;
    // A file system without hard links.
    return await createExclusively(path, self);
  }
}

async function createExclusively(path: string, self: Holder): Promise<boolean> {
  try {
    await writeFile(path, JSON.stringify(self), { mode: 0o600, flag: "wx" });
    return true;
  } catch (error) {
    if (isCode(error, "EEXIST")) return false;
    throw error;
  }
}

/** Whether nobody holds the lock any more. */
async function isLeft(path: string, holder: Holder | undefined): Promise<boolean> {
  // Its pid says nothing here: somebody else may have it, or nobody.
  const isElsewhere = holder !== undefined && holder.space !== null && holder.space !== pidSpace();
  if (holder !== undefined && !isElsewhere) return !isAlive(holder);
  try {
    const ageMs = Date.now() - (await stat(path)).mtimeMs;
    return ageMs > (isElsewhere ? ELSEWHERE_AFTER_MS : UNREADABLE_AFTER_MS);
  } catch {
    return false;
  }
}

/**
 * Replaces a dead holder. Several processes may find it dead at once, so whoever replaces it holds a
 * guard meanwhile that is this dead holder's alone: nobody can find the same text there later. A guard
 * that is left by a crash is taken over in the same way.
 */
async function takeOver(path: string, deadText: string, self: Holder): Promise<boolean> {
  const digest = nodeCrypto().createHash("sha256").update(deadText).digest("hex").slice(0, 16);
  const guard = `${path}.over-${digest}`;
  const draft = `${path}.${process.pid}.${nodeCrypto().randomUUID()}.tmp`;
  try {
    await writeFile(draft, JSON.stringify(self), { mode: 0o600, flag: "wx" });
    if (!(await claim(guard, draft, self))) {
      const { text, holder } = await readHolder(guard);
      if (text === undefined || !(await isLeft(guard, holder))) return false;
      if (!(await takeOver(guard, text, self))) return false;
    }
    try {
      if ((await readHolder(path)).text !== deadText) return false;
      await rename(draft, path);
      return true;
    } finally {
      await rm(guard, { force: true });
    }
  } finally {
    await rm(draft, { force: true });
  }
}

async function readHolder(path: string): Promise<{ text?: string; holder?: Holder }> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (isCode(error, "ENOENT")) return {};
    throw error;
  }
  const holder = parseHolder(text);
  return holder === undefined ? { text } : { text, holder };
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const { pid, startedAt, space, nonce } = value as Partial<Record<keyof Holder, unknown>>;
    if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
    if (typeof nonce !== "string") return undefined;
    const textOrNull = (part: unknown): string | null => (typeof part === "string" ? part : null);
    return { pid, startedAt: textOrNull(startedAt), space: textOrNull(space), nonce };
  } catch {
    return undefined;
  }
}

function isAlive(holder: Holder): boolean {
  if (holder.pid === process.pid) return heldHere.has(holder.nonce);
  if (!isRunning(holder.pid)) return false;
  const startedAt = startOf(holder.pid);
  return startedAt === null || holder.startedAt === null || startedAt === holder.startedAt;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It runs, as somebody else.
    return isCode(error, "EPERM");
  }
}

/** Tells the pids of this machine and container from those of others. */
function pidSpace(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot}/${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    // No Linux, where a machine has one of them.
    return hostname();
  }
}

/** A text that differs between two processes with the same pid, or null where there is none. */
function startOf(pid: number): string | null {
  try {
    if (process.platform === "linux") {
      const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      // The second field is the command in parentheses and may contain anything, so count from its end.
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return `${boot}/${fields[19] ?? ""}`;
    }
    if (process.platform === "darwin") {
      return execFileSync("/bin/ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" });
    }
  } catch {
    // Without a start time the pid alone decides.
  }
  return null;
}

function locked(path: string, pid: number | undefined): ConfigError {
  const who = pid === undefined ? "another process" : `process ${pid}`;
  return new ConfigError("CONFIG_LOCKED", `${who} is changing the config (${path}).`, {
    hint: "Wait for it to end, and try again.",
  });
}

function notLocked(path: string, cause: unknown): ConfigError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ConfigError("CONFIG_NOT_WRITTEN", `cannot create the lock ${path}: ${why}`, {
    hint: "Check the owner and the mode of the folder.",
    cause,
  });
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
