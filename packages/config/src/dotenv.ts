import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Env } from "./env.ts";

/** Options of {@link loadDotEnv}. */
export interface DotEnvOptions {
  env: Env;
  /** Working directory, whose `.env` is read first and trusted least. */
  cwd: string;
  stateDir: string;
}

/** The environment with what the `.env` files add. */
export interface DotEnvResult {
  env: Record<string, string>;
  /** Files that were read. */
  files: string[];
  warnings: string[];
}

/** A directory that somebody else filled must not steer this program or what it starts. */
const IGNORED_IN_WORKING_DIRECTORY = new RegExp(
  [
    "^(?:OPENCLAW|CLAWDBOT|MOLTBOT|LD|DYLD|NODE|SSH|GIT|SSL|OPENSSL|XDG)_",
    "_PROXY$",
    "^(?:PATH|HOME|USERPROFILE|SHELL|ENV|BASH_ENV|TMPDIR|TMP|TEMP)$",
  ].join("|"),
  "iu",
);
const LINE = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*)$/u;

/**
 * Reads `<cwd>/.env`, then `<state dir>/.env`. A variable that exists, even empty, is not
 * overridden, and the first file wins. Missing files are fine.
 */
export async function loadDotEnv({ env, cwd, stateDir }: DotEnvOptions): Promise<DotEnvResult> {
  const result: DotEnvResult = { env: {}, files: [], warnings: [] };
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined) result.env[name] = value;
  }
  const sources = [
    { path: join(cwd, ".env"), isTrusted: cwd === stateDir },
    { path: join(stateDir, ".env"), isTrusted: true },
  ];
  for (const { path, isTrusted } of sources) {
    let text: string;
    try {
      // One after the other, since the first file wins.
      // oxlint-disable-next-line no-await-in-loop
      text = await readFile(path, "utf8");
    } catch (error) {
      if (!isMissing(error)) result.warnings.push(`${path} cannot be read: ${reason(error)}`);
      continue;
    }
    result.files.push(path);
    for (const [name, value] of Object.entries(parseDotEnv(text))) {
      if (!isTrusted && IGNORED_IN_WORKING_DIRECTORY.test(name)) continue;
      if (!Object.hasOwn(result.env, name)) result.env[name] = value;
    }
  }
  return result;
}

/** Parses `KEY=value` lines with an optional `export`, quotes, and `#` comments. */
export function parseDotEnv(text: string): Record<string, string> {
  const entries: [string, string][] = [];
  for (const line of text.replace(/^\uFEFF/u, "").split(/\r?\n/u)) {
    const match = LINE.exec(line);
    if (match !== null) entries.push([match[1] ?? "", parseValue(match[2] ?? "")]);
  }
  return Object.fromEntries(entries);
}

function parseValue(raw: string): string {
  // Between single quotes a backslash is one, as at the end of a folder of Windows.
  const literal = /^'([^']*)'/u.exec(raw);
  if (literal !== null) return literal[1] ?? "";
  const quoted = /^"((?:\\.|[^"\\])*)"/u.exec(raw);
  if (quoted === null) return raw.replace(/(?:^|\s)#.*$/u, "").trim();
  return (quoted[1] ?? "").replaceAll(/\\(.)/gu, (_, char: string) => ESCAPES[char] ?? char);
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
