import { constants } from "node:fs";
import {
  chmod,
  copyFile,
  lstat,
  mkdir,
  readFile,
  rename,
  rm,
  rmdir,
  symlink,
} from "node:fs/promises";
import { dirname } from "node:path";

/** One change of the disk that can be undone. */
export type MigrationStep =
  /** A folder that was missing. */
  | { readonly kind: "folder"; readonly path: string }
  /** A file or folder under another name. Nothing is there yet. */
  | { readonly kind: "move"; readonly from: string; readonly to: string }
  /** A second copy of a file, mode 0600. Nothing is there yet. */
  | { readonly kind: "copy"; readonly from: string; readonly to: string }
  /** A link. Nothing is there yet. */
  | {
      readonly kind: "link";
      readonly path: string;
      readonly target: string;
      readonly isFolder: boolean;
    };

/** A step as a person reads it. */
export function describeStep(step: MigrationStep): string {
  switch (step.kind) {
    case "folder":
      return `makes ${step.path}`;
    case "move":
      return `moves ${step.from} to ${step.to}`;
    case "copy":
      return `copies ${step.from} to ${step.to}`;
    default:
      return `links ${step.path} to ${step.target}`;
  }
}

/** Does a step. Rejects when something is in its way; then nothing was done. */
export async function doStep(step: MigrationStep): Promise<void> {
  switch (step.kind) {
    case "folder":
      await mkdir(step.path, { recursive: true, mode: 0o700 });
      return;
    case "move":
      await moveIfFree(step.from, step.to);
      return;
    case "copy":
      await copyFile(step.from, step.to, constants.COPYFILE_EXCL);
      await chmod(step.to, 0o600);
      return;
    default:
      // On Windows a junction needs no rights of an administrator.
      await symlink(step.target, step.path, step.isFolder ? "junction" : "file");
  }
}

/**
 * Takes a step back. A copy that was changed since is kept as `<name>.migrated`; a folder that holds
 * something stays.
 */
export async function undoStep(step: MigrationStep): Promise<void> {
  switch (step.kind) {
    case "folder":
      // Whatever is in it is not ours to remove.
      await rmdir(step.path).catch(() => undefined);
      return;
    case "move":
      await moveIfFree(step.to, step.from);
      return;
    case "copy":
      if (await haveSameText(step.from, step.to)) await rm(step.to);
      else await moveIfFree(step.to, `${step.to}.migrated`);
      return;
    default:
      if ((await lstat(step.path)).isSymbolicLink()) await rm(step.path);
  }
}

/** Whether anything is there, a link that leads nowhere included. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch {
    return false;
  }
}

async function moveIfFree(from: string, to: string): Promise<void> {
  // `rename` would replace a file, and an empty folder, without a word.
  if (await isThere(to)) throw new Error(`${to} is there already`);
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  await rename(from, to);
}

async function haveSameText(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([readFile(one), readFile(other)]);
  return a.equals(b);
}
