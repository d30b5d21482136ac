import { constants } from "node:fs";
import { open, realpath } from "node:fs/promises";
import { delimiter, dirname, isAbsolute, resolve, sep } from "node:path";
import type { ConfigIssue } from "../config-issue.ts";
import { readEnv, type Env } from "../env.ts";
import { parseConfigText } from "../parse-config-text.ts";
import { expandHome } from "../paths.ts";

/** Largest file that is included. */
export const MAX_INCLUDE_BYTES = 2 * 1024 * 1024;

/** Where included files may be. */
export interface IncludeRoots {
  /** The folder of the config file. */
  readonly configDir: string;
  /** Folders besides. */
  readonly others: readonly string[];
}

/**
 * The folder of the config, and those that `OPENCLAW_INCLUDE_ROOTS` lists. Relative ones do not count.
 *
 * @param paths the config file, and other places of the same file, such as where a link leads.
 */
export function includeRoots(
  [path, ...others]: readonly [string, ...string[]],
  env: Env,
  home: string | undefined,
): IncludeRoots {
  const listed = readEnv(env, "OPENCLAW_INCLUDE_ROOTS")?.value.split(delimiter) ?? [];
  const more = listed
    .map((root) => root.trim())
    .map((root) => (home === undefined ? root : expandHome(root, home)))
    .filter((root) => isAbsolute(root));
  return { configDir: dirname(path), others: [...others.map((other) => dirname(other)), ...more] };
}

/** An included file, or why there is none, to be read after its name. */
export type IncludedFile =
  | { readonly ok: true; readonly file: string; readonly value: unknown }
  | { readonly ok: false; readonly fault: string; readonly issue?: ConfigIssue };

/** The files that one config includes. Each is read once. */
export class IncludeFiles {
  readonly texts = new Map<string, string>();
  readonly #roots: IncludeRoots;
  readonly #read = new Map<string, Promise<IncludedFile>>();
  #realRoots: Promise<readonly string[]> | undefined;

  constructor(roots: IncludeRoots) {
    this.#roots = roots;
  }

  /** @param name as it is written in `from`. */
  async read(name: string, from: string): Promise<IncludedFile> {
    if (name.includes("\0")) return { ok: false, fault: "is no path" };
    const path = resolve(dirname(from), name);
    const roots = await (this.#realRoots ??= this.#resolveRoots());
    const named = [this.#roots.configDir, ...this.#roots.others, ...roots];
    // Judged by its name first, so that no answer tells what else is on the disk.
    if (!named.some((root) => isWithin(root, path))) return this.#outside(path);
    let file: string;
    try {
      file = await realpath(path);
    } catch (error) {
      return { ok: false, fault: isMissing(error) ? `does not exist: ${path}` : unreadable(error) };
    }
    if (!roots.some((root) => isWithin(root, file))) return this.#outside(file);
    const reading = this.#read.get(file) ?? this.#readFile(file);
    this.#read.set(file, reading);
    return reading;
  }

  async #readFile(file: string): Promise<IncludedFile> {
    const content = await readBounded(file);
    if (!content.ok) return content;
    this.texts.set(file, content.text);
    const parsed = await parseConfigText(content.text);
    if (parsed.ok) return { ok: true, file, value: parsed.value };
    const issue = { ...parsed.issue, file };
    return { ok: false, fault: `is ${issue.message}`, issue };
  }

  async #resolveRoots(): Promise<string[]> {
    const { configDir, others } = this.#roots;
    const real = await Promise.allSettled([configDir, ...others].map((root) => realpath(root)));
    return real.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  }

  #outside(path: string): IncludedFile {
    return {
      ok: false,
      fault: `is ${path}, outside of ${this.#roots.configDir}; move it there, or list its folder in OPENCLAW_INCLUDE_ROOTS`,
    };
  }
}

type BoundedText = { readonly ok: true; readonly text: string } | { ok: false; fault: string };

async function readBounded(file: string): Promise<BoundedText> {
  try {
    // Not to wait for somebody who writes into a pipe.
    const handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) return { ok: false, fault: "is no file" };
      if (stats.size > MAX_INCLUDE_BYTES) {
        return { ok: false, fault: `has ${stats.size} bytes; allowed: ${MAX_INCLUDE_BYTES}` };
      }
      return { ok: true, text: await handle.readFile("utf8") };
    } finally {
      await handle.close();
    }
  } catch (error) {
    return { ok: false, fault: unreadable(error) };
  }
}

function isWithin(root: string, path: string): boolean {
  return path.startsWith(root.endsWith(sep) ? root : `${root}${sep}`);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function unreadable(error: unknown): string {
  return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}
