import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { ConfigError } from "../config-error.ts";

/** Who works on the file. */
interface Holder {
  readonly pid: number;
  /** When the process started, as the system tells it: tells it from a later one with its pid. */
  readonly startedAt: string | null;
  readonly nonce: string;
}

const POLL_MS = 20;

// Locks of this very process: for its own pid the system cannot tell a live holder from an earlier
// process that had the same pid.
const heldHere = new Set<string>();

/**
 * Holds the lock file at `path` while `work` runs. Waits for another holder that is alive, and takes
 * over from one that is not.
 *
 * @throws {@link ConfigError} `CONFIG_LOCKED` with the holder's pid, after `timeoutMs`;
 * `CONFIG_NOT_WRITTEN` where no lock file can be made
 */
export async function withFileLock<T>(
  path: string,
  timeoutMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const self: Holder = { pid: process.pid, startedAt: startOf(process.pid), nonce: randomUUID() };
  heldHere.add(self.nonce);
  try {
    await acquire(path, self, timeoutMs).catch((cause: unknown) => {
      throw cause instanceof ConfigError ? cause : notLocked(path, cause);
    });
    try {
      return await work();
    } finally {
      if ((await readHolder(path)).holder?.nonce === self.nonce) await rm(path, { force: true });
    }
  } finally {
    heldHere.delete(self.nonce);
  }
}

async function acquire(path: string, self: Holder, timeoutMs: number): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    if (await claim(path, self)) return;
    const { text, holder } = await readHolder(path);
    if (text !== undefined && (holder === undefined || !isAlive(holder))) {
      if (await takeOver(path, text, self)) return;
    }
    if (waitedMs >= timeoutMs) throw locked(path, holder?.pid);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Creates `path` with its whole content, unless it exists: nobody reads half a holder. */
async function claim(path: string, self: Holder): Promise<boolean> {
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify(self), { mode: 0o600, flag: "wx" });
  try {
    // Unlike rename, link refuses to replace.
    await link(draft, path);
    return true;
  } catch (error) {
    if (isCode(error, "EEXIST")) return false;
    // A file system without hard links.
    return await createExclusively(path, self);
  } finally {
    await rm(draft, { force: true });
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

/**
 * Replaces a dead holder. Several processes may find it dead at once; the one that creates the guard
 * goes on, and looks again whether the holder is still the dead one.
 */
async function takeOver(path: string, deadText: string, self: Holder): Promise<boolean> {
  const guard = `${path}.takeover`;
  if (!(await claim(guard, self))) {
    const { text, holder } = await readHolder(guard);
    if (text !== undefined && (holder === undefined || !isAlive(holder))) {
      await rm(guard, { force: true });
    }
    return false;
  }
  try {
    if ((await readHolder(path)).text !== deadText) return false;
    const draft = `${path}.${self.nonce}`;
    await writeFile(draft, JSON.stringify(self), { mode: 0o600 });
    await rename(draft, path);
    return true;
  } finally {
    await rm(guard, { force: true });
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
    const { pid, startedAt, nonce } = value as Partial<Record<keyof Holder, unknown>>;
    if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
    if (typeof nonce !== "string") return undefined;
    return { pid, startedAt: typeof startedAt === "string" ? startedAt : null, nonce };
  } catch {
    return undefined;
  }
}

function isAlive(holder: Holder): boolean {
  if (holder.pid === process.pid) return heldHere.has(holder.nonce);
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it runs, as somebody else.
    if (!isCode(error, "EPERM")) return false;
  }
  const startedAt = startOf(holder.pid);
  return startedAt === null || holder.startedAt === null || startedAt === holder.startedAt;
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
