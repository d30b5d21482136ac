import { lstat, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { ServiceError } from "../errors.ts";

/** The content of a file, or undefined when there is none. */
export async function readDefinition(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw fileFailure("read", path, error);
  }
}

/** Replaces a file in one step, so that no supervisor sees half of one. */
export async function writeDefinition(
  path: string,
  content: string | Uint8Array,
  mode = 0o644,
): Promise<void> {
  // No supervisor looks at a name that begins with a dot.
  const draft = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await writeFile(draft, content, { mode, flag: "wx" });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw fileFailure("write", path, error);
  }
}

export async function removeDefinition(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (error) {
    throw fileFailure("remove", path, error);
  }
}

/** Moves a file into the Trash of macOS, next to one of the same name if need be. Returns where to. */
export async function moveToTrash(path: string, home: string): Promise<string> {
  const trash = join(home, ".Trash");
  try {
    await mkdir(trash, { recursive: true, mode: 0o700 });
    const target = await freeName(trash, basename(path));
    await rename(path, target);
    return target;
  } catch (error) {
    throw fileFailure("move to the Trash", path, error);
  }
}

export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw fileFailure("make", path, error);
  }
}

async function freeName(folder: string, name: string): Promise<string> {
  for (let count = 1; ; count += 1) {
    const path = join(folder, count === 1 ? name : `${name}.${count}`);
    // One name after the other, until one is free.
    // oxlint-disable-next-line no-await-in-loop
    if (!(await exists(path))) return path;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return false;
    throw error;
  }
}

function fileFailure(verb: string, path: string, cause: unknown): ServiceError {
  const code = hasCode(cause, "EACCES", "EPERM", "EROFS") ? "ACCESS_DENIED" : "FILE_FAILED";
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ServiceError(code, `cannot ${verb} ${path}: ${reason}`, { cause, details: { path } });
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && "code" in error && codes.some((code) => error.code === code);
}
