import { chmod, link, rename, rm } from "node:fs/promises";
import { readFile, stat } from "node:fs/promises";
import { parseConfigText } from "../parse-config-text.ts";
import { isObject } from "../json.ts";
import { replaceFile, writeDraft } from "./durable-file.ts";
import { nodeCrypto } from "../node-crypto.ts";

/** Former texts that are kept, the newest first: `.bak`, `.bak.1` … `.bak.4`. */
const SUFFIXES = [".bak", ".bak.1", ".bak.2", ".bak.3", ".bak.4"] as const;

/** The newest former text of a config file. */
function backupPathOf(file: string): string {
  return file + SUFFIXES[0];
}

/** Where the last text is kept that was known to be good. */
export function lastGoodPathOf(file: string): string {
  return `${file}.last-good`;
}

/**
 * Keeps the text that a file has now as the newest backup, and moves the others on; the fifth goes.
 * The file itself stays where it is. Its content is on the disk already, so nothing is written but names.
 */
export async function keepBackup(file: string, text: string): Promise<string> {
  for (const [index, suffix] of [...SUFFIXES.entries()].toReversed()) {
    const older = SUFFIXES[index + 1];
    // oxlint-disable-next-line no-await-in-loop -- each makes room for the next
    if (older !== undefined) await renameIfThere(file + suffix, file + older);
  }
  const newest = backupPathOf(file);
  const name = `${file}.${process.pid}.${nodeCrypto().randomUUID()}.tmp`;
  try {
    await link(file, name);
    await chmod(name, 0o600);
    await rename(name, newest);
  } catch {
    // A file system without links, or a file of somebody else.
    await rm(name, { force: true });
    const draft = await writeDraft(newest, text);
    await replaceFile(draft.path, newest);
  }
  return newest;
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}

/** A former text of a config file that can be read. */
export interface FormerConfig {
  readonly path: string;
  /** When it was put there, in epoch milliseconds. */
  readonly keptAtMs: number;
}

/**
 * The best text to go back to: the last one known to be good, else the newest backup that can be read.
 * Never throws.
 */
export async function findFormerConfig(file: string): Promise<FormerConfig | undefined> {
  for (const path of [lastGoodPathOf(file), ...SUFFIXES.map((suffix) => file + suffix)]) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- the first that is right is enough
      const [text, { mtimeMs }] = await Promise.all([readFile(path, "utf8"), stat(path)]);
      // oxlint-disable-next-line no-await-in-loop
      const parsed = await parseConfigText(text);
      if (text.trim() !== "" && parsed.ok && isObject(parsed.value)) {
        return { path, keptAtMs: mtimeMs };
      }
    } catch {
      // Not there, or not readable: the next one may be.
    }
  }
  return undefined;
}
