import { open, rm, stat } from "node:fs/promises";

const RETRY_MS = 20;
/** Appending takes milliseconds: an older lock was left by a process that died. */
const STALE_MS = 5_000;
const GIVE_UP_MS = 10_000;

/**
 * Runs `work` while no other process runs it under the same lock file.
 *
 * It is a courtesy, and never a reason to fail: where the file cannot be made, or somebody holds on
 * to it, the work is done all the same. Appending is safe without it; two processes could then only
 * append the same line both.
 */
export async function withAppendLock<T>(lockFile: string, work: () => Promise<T>): Promise<T> {
  const isHeld = await acquire(lockFile);
  try {
    return await work();
  } finally {
    if (isHeld) await remove(lockFile);
  }
}

async function acquire(lockFile: string): Promise<boolean> {
  const deadline = Date.now() + GIVE_UP_MS;
  while (Date.now() < deadline) {
    try {
      await (await open(lockFile, "wx", 0o600)).close();
      return true;
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) return false;
    }
    if (await isStale(lockFile)) await remove(lockFile);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  return false;
}

async function isStale(lockFile: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(lockFile)).mtimeMs > STALE_MS;
  } catch {
    // It went away; the next attempt finds out.
    return false;
  }
}

async function remove(lockFile: string): Promise<void> {
  try {
    await rm(lockFile, { force: true });
  } catch {
    // It stays, and counts as left behind soon.
  }
}
