import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, link, mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/**
 * Puts a file of mode 0600 where none is, whole and on disk before its name is there. Whoever comes
 * second, in this process or another, gets false and finds the file of the first.
 */
export async function createOwnFile(path: string, text: string): Promise<boolean> {
  return placed(path, text, async (temporary) => {
    try {
      await linkOrCopy(temporary, path);
      return true;
    } catch (error) {
      if (hasCode(error, "EEXIST")) return false;
      throw error;
    }
  });
}

/** Replaces a file, or puts one there, in one step: a reader sees the former text or the new one. */
export async function replaceOwnFile(path: string, text: string): Promise<void> {
  await placed(path, text, (temporary) => rename(temporary, path));
}

async function placed<T>(
  path: string,
  text: string,
  place: (temporary: string) => Promise<T>,
): Promise<T> {
  const directory = dirname(path);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const temporary = join(directory, `.${basename(path)}.${randomBytes(6).toString("hex")}`);
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    const result = await place(temporary);
    await syncDirectory(directory);
    return result;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Some file systems have no second names; there the copy is at least made by one process alone. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].some((code) => hasCode(error, code))) {
      throw error;
    }
    await copyFile(from, to, constants.COPYFILE_EXCL);
  }
}

/** Windows opens no directories, and keeps names in order by itself. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Whether an error is of the system, and of this kind. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
