import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join, resolve } from "node:path";

export interface ResolveOptions {
  /** PATH to search. */
  pathEnv: string;
  /** Folder that relative names start from. */
  cwd: string;
  platform: NodeJS.Platform;
  /** Suffixes that Windows tries, such as `.COM;.EXE`. */
  pathExt?: string | undefined;
}

/**
 * The file that starting `name` would execute, as an absolute path: the name itself if it contains a
 * separator, else the first match in PATH. `undefined` if there is none.
 */
export function resolveExecutable(name: string, options: ResolveOptions): string | undefined {
  const { pathEnv, cwd, platform } = options;
  if (name === "" || name.includes("\0")) return undefined;
  const isPath = name.includes("/") || (platform === "win32" && name.includes("\\"));
  const folders = isPath ? [cwd] : pathEnv.split(delimiter).filter((folder) => folder !== "");
  for (const folder of folders) {
    const base = isAbsolute(name) ? name : join(resolve(cwd, folder), name);
    const found = suffixes(name, options)
      .map((suffix) => base + suffix)
      .find(isExecutable);
    if (found !== undefined) return found;
  }
  return undefined;
}

function suffixes(name: string, { platform, pathExt }: ResolveOptions): string[] {
  if (platform !== "win32") return [""];
  const known = (pathExt ?? ".COM;.EXE;.BAT;.CMD").split(";").filter((suffix) => suffix !== "");
  const hasSuffix = known.some((suffix) => name.toLowerCase().endsWith(suffix.toLowerCase()));
  return hasSuffix ? [""] : known;
}

function isExecutable(path: string): boolean {
  try {
    if (!statSync(path).isFile()) return false;
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
