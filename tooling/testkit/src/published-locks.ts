import { readdir, readlink, rm } from "node:fs/promises";
import { join } from "node:path";

/** Where published releases keep lock files, whatever TMPDIR and HOME say. */
const LOCKS = `/tmp/openclaw-state-locks-${process.getuid?.() ?? 0}`;

/**
 * Remembers which lock files of published releases there are. Disposing removes those that have come
 * since and that nobody holds open. Their names are hashes of paths, some of them of files that are
 * gone by then, so there is no telling them by name.
 */
export async function trackPublishedLocks(): Promise<AsyncDisposable> {
  const before = new Set(await locks());
  return {
    async [Symbol.asyncDispose]() {
      const left = (await locks()).filter((path) => !before.has(path));
      if (left.length === 0) return;
      const held = await heldFiles();
      const unheld = left.filter((path) => !held.has(path));
      await Promise.all(unheld.map((path) => rm(path, { force: true })));
    },
  };
}

async function locks(): Promise<string[]> {
  const names = await readdir(LOCKS).catch(() => []);
  return names.map((name) => join(LOCKS, name));
}

/** Files that processes of this user have open, where the system tells (Linux). */
async function heldFiles(): Promise<Set<string>> {
  const processes = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  const held = await Promise.all(
    processes.map(async (pid) => {
      const folder = join("/proc", pid, "fd");
      const descriptors = await readdir(folder).catch(() => []);
      return Promise.all(descriptors.map((fd) => readlink(join(folder, fd)).catch(() => "")));
    }),
  );
  return new Set(held.flat());
}
