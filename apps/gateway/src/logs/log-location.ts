import { readdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { type Env, expandHome, type OpenClawConfig, type Paths } from "@openclaw/config";

/** Where a Gateway's log is. */
export interface LogLocation {
  readonly directory: string;
  /** The file that lines of that time go to. */
  fileAt(atMs: number): string;
  /** The files there are, the oldest first; a file that was put aside stands before its successor. */
  files(): string[];
}

export interface LogLocationInput {
  /** As far as it could be read. */
  readonly config: { readonly logging?: OpenClawConfig["logging"] };
  readonly env: Env;
  readonly paths: Pick<Paths, "stateDir" | "home">;
}

/** Put behind the name of a file that has grown too large; there is one of each. */
export const ASIDE = ".1";

const DAILY = /^openclaw-\d{4}-\d{2}-\d{2}\.log(\.1)?$/;

/**
 * The file that `logging.file` names, else one a day in `<state>/logs`. Not in the folder for
 * temporary files: everybody may write there, and two profiles would share a file.
 */
export function logLocation({ config, paths }: LogLocationInput): LogLocation {
  const configured = config.logging?.file;
  if (configured !== undefined) {
    const path = resolve(expandHome(configured, paths.home));
    return {
      directory: dirname(path),
      fileAt: () => path,
      files: () => [`${path}${ASIDE}`, path].filter((file) => modifiedAt(file) !== undefined),
    };
  }
  const directory = join(paths.stateDir, "logs");
  return {
    directory,
    fileAt: (atMs) => join(directory, `openclaw-${dayOf(atMs)}.log`),
    files: () => dailyFiles(directory),
  };
}

/** The daily files of a folder, the oldest first. */
export function dailyFiles(directory: string): string[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    // No folder, no files.
    return [];
  }
  return names
    .filter((name) => DAILY.test(name))
    .toSorted((a, b) => orderOf(a) - orderOf(b) || (a < b ? -1 : 1))
    .map((name) => join(directory, name));
}

/** When a file was last written to; undefined when there is none. */
export function modifiedAt(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

/** By day, and of one day what was put aside first. */
function orderOf(name: string): number {
  const day = Number(basename(name).replaceAll(/\D/g, "").slice(0, 8));
  return day * 2 + (name.endsWith(ASIDE) ? 0 : 1);
}

/** The day in the time zone of the machine, as `YYYY-MM-DD`. */
function dayOf(atMs: number): string {
  const date = new Date(atMs);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
