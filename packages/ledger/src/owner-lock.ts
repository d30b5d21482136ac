import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { linkSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { LedgerError } from "./errors.ts";

/** The right to write to a directory. */
export interface OwnerLock {
  /** Gives the directory back. May be called twice. */
  release(): void;
}

interface Owner {
  pid: number;
  /** When the process started, as the system tells it; tells a process from a later one with its pid. */
  startedAt: string | null;
  nonce: string;
}

// Owner files that this very process holds: for its own pid the system cannot tell a live owner
// from an earlier process that had the same pid.
const heldHere = new Set<string>();

/**
 * Makes this process the owner of `directory`, through the file `owner` in it. An owner that no
 * longer runs is taken over.
 *
 * Processes that share the directory have to share the table of processes too; two containers with
 * one volume do not see each other.
 *
 * @throws LedgerError `LOCKED` with the owner's pid, `IO`
 */
export function acquireOwnerLock(directory: string): OwnerLock {
  const path = join(directory, "owner");
  const self: Owner = { pid: process.pid, startedAt: startOf(process.pid), nonce: randomUUID() };
  for (let attempt = 0; attempt < 20; attempt += 1) {
    if (claim(path, self)) return held(path, self);
    const text = readText(path);
    if (text === undefined) continue;
    const owner = parseOwner(text);
    if (owner !== undefined && isAlive(owner)) throw locked(directory, owner.pid);
    if (takeOver(path, text, self)) return held(path, self);
  }
  throw new LedgerError(
    "LOCKED",
    `the ledger in ${directory} is being opened by several processes`,
    {
      file: path,
    },
  );
}

function held(path: string, self: Owner): OwnerLock {
  heldHere.add(self.nonce);
  return {
    release() {
      if (!heldHere.delete(self.nonce)) return;
      if (parseOwner(readText(path) ?? "")?.nonce === self.nonce) rmSync(path, { force: true });
    },
  };
}

/** Creates `path` with its whole content, unless it exists. */
function claim(path: string, self: Owner): boolean {
  const draft = `${path}.${self.nonce}`;
  try {
    writeFileSync(draft, JSON.stringify(self), { mode: 0o600, flag: "wx" });
    try {
      linkSync(draft, path);
    } catch (error) {
      if (isCode(error, "EEXIST")) return false;
      // A file system without hard links; then a reader may catch the file half written, which the
      // takeover protocol survives.
      writeFileSync(path, JSON.stringify(self), { mode: 0o600, flag: "wx" });
    }
    return true;
  } catch (cause) {
    if (isCode(cause, "EEXIST")) return false;
    throw new LedgerError("IO", `cannot create ${path}: ${String(cause)}`, { cause, file: path });
  } finally {
    rmSync(draft, { force: true });
  }
}

/**
 * Replaces a dead owner. Two processes may find it dead at the same time; the one that creates the
 * takeover file goes on, and looks again whether the owner is still the dead one.
 */
function takeOver(path: string, deadText: string, self: Owner): boolean {
  const guard = `${path}.takeover`;
  if (!claim(guard, self)) {
    const other = parseOwner(readText(guard) ?? "");
    if (other !== undefined && isAlive(other)) throw locked(path, other.pid);
    rmSync(guard, { force: true });
    return false;
  }
  try {
    if (readText(path) !== deadText) return false;
    const draft = `${path}.${self.nonce}`;
    writeFileSync(draft, JSON.stringify(self), { mode: 0o600 });
    renameSync(draft, path);
    return true;
  } finally {
    unlinkSync(guard);
  }
}

function locked(place: string, pid: number): LedgerError {
  return new LedgerError("LOCKED", `the ledger in ${place} is in use by process ${pid}`, {
    pid,
    hint: "Stop that process, or choose another state directory.",
  });
}

function isAlive(owner: Owner): boolean {
  if (owner.pid === process.pid) return heldHere.has(owner.nonce);
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: it runs, as somebody else.
    if (!isCode(error, "EPERM")) return false;
  }
  const startedAt = startOf(owner.pid);
  return startedAt === null || owner.startedAt === null || startedAt === owner.startedAt;
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

function parseOwner(text: string): Owner | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const { pid, startedAt, nonce } = value as Partial<Record<keyof Owner, unknown>>;
    if (typeof pid !== "number" || !Number.isSafeInteger(pid) || pid <= 0) return undefined;
    if (typeof nonce !== "string") return undefined;
    return { pid, startedAt: typeof startedAt === "string" ? startedAt : null, nonce };
  } catch {
    return undefined;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (isCode(cause, "ENOENT")) return undefined;
    throw new LedgerError("IO", `cannot read ${path}: ${String(cause)}`, { cause, file: path });
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
