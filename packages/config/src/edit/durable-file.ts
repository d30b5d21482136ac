import { copyFile, type FileHandle, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { nodeCrypto } from "../node-crypto.ts";

/** Puts a draft in the place of a file; see {@link replaceFile}. */
export type Rename = (from: string, to: string) => Promise<void>;

/** A text on the disk, beside the file that it is to become. */
export interface Draft {
  readonly path: string;
  /** Removes it, if it is still there. */
  discard(): Promise<void>;
}

/**
 * Writes a text beside a file, with mode 0600, and waits until the disk has it. It belongs to whom the
 * file belongs to, or its folder, also when root writes it: a Gateway must still be able to read it.
 */
export async function writeDraft(target: string, text: string): Promise<Draft> {
  const path = `${target}.${process.pid}.${nodeCrypto().randomUUID()}.tmp`;
  const discard = (): Promise<void> => rm(path, { force: true });
  try {
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
      await keepOwner(file, target);
    } finally {
      await file.close();
    }
  } catch (error) {
    await discard();
    throw error;
  }
  return { path, discard };
}

async function keepOwner(file: FileHandle, target: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(target).catch(() => stat(dirname(target)));
  if (uid !== 0) await file.chown(uid, gid);
}

/** What Windows says while somebody else has the target open. */
const BUSY_CODES = new Set(["EPERM", "EACCES", "EBUSY"]);

/**
 * Replaces a file by another in one step. Where Windows refuses, since the target is open somewhere,
 * the text is copied over it: then a reader may see a part, which is less bad than no change at all.
 */
export async function replaceFile(
  from: string,
  to: string,
  { platform = process.platform, move = rename }: { platform?: string; move?: Rename } = {},
): Promise<void> {
  try {
    await move(from, to);
  } catch (error) {
    if (platform !== "win32" || !isBusy(error)) throw error;
    await copyFile(from, to);
    await rm(from, { force: true });
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "code" in error && BUSY_CODES.has(String(error.code));
}

/** Makes renames durable, where the system has folders that can be synced. */
export async function syncFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch {
    // The text is whole either way; after a power cut it may be the former one.
  }
}

/** Removes what processes that are gone have left beside a file: drafts, and guards of its lock. */
export async function removeOrphans(
  target: string,
  isAlive: (pid: number) => boolean,
): Promise<void> {
  const folder = dirname(target);
  const prefix = `${basename(target)}.`;
  const orphans = (await readdir(folder)).filter((name) => {
    if (!name.startsWith(prefix)) return false;
    const pid = PID_OF_DRAFT.exec(name)?.[1];
    // Who holds the lock has the only guard that means anything behind it.
    return pid === undefined ? GUARD.test(name) : !isAlive(Number(pid));
  });
  await Promise.all(orphans.map((name) => rm(join(folder, name), { force: true })));
}

const PID_OF_DRAFT = /\.(\d+)\.[0-9a-f]{8}-[0-9a-f-]{27}\.tmp$/u;
const GUARD = /\.lock\.over-[0-9a-f]{16}$/u;
