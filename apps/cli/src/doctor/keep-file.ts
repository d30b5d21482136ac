import { constants } from "node:fs";
import { chmod, copyFile, rename } from "node:fs/promises";
import { hasCode } from "@openclaw/app-kit";
import { shellWord } from "../config/shell-word.ts";
import type { Repaired } from "./finding.ts";

const MOST_NAMES = 100;

/** Copies a file beside itself, 0600, under the first free name; returns that name. */
export async function keepCopy(path: string, suffix = ".bak"): Promise<string> {
  for (let number = 0; number < MOST_NAMES; number += 1) {
    const name = `${path}${suffix}${number === 0 ? "" : `.${number}`}`;
    try {
      // In order, until one is free.
      // oxlint-disable-next-line no-await-in-loop
      await copyFile(path, name, constants.COPYFILE_EXCL);
      // oxlint-disable-next-line no-await-in-loop
      await chmod(name, 0o600);
      return name;
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error;
    }
  }
  throw new Error(`there are ${MOST_NAMES} copies of ${path} already; remove some`);
}

/** Puts a file aside under the first free name: the copy is made first, so that it is never gone. */
export async function putAside(path: string, suffix = ".bak"): Promise<Repaired> {
  const kept = await keepCopy(path, suffix);
  // Takes the place of the copy in one step, times and owner included.
  await rename(path, kept);
  return { did: `Moved ${path} to ${kept}.`, undo: moveBack(kept, path) };
}

/** The command that puts a file back. */
export function moveBack(kept: string, path: string): string {
  return `mv ${shellWord(kept)} ${shellWord(path)}`;
}

/** The command that puts the former text of a file back, and keeps the copy. */
export function copyBack(kept: string, path: string): string {
  return `cp ${shellWord(kept)} ${shellWord(path)}`;
}
