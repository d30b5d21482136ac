import { accessSync, constants, statSync } from "node:fs";
import { posix, win32 } from "node:path";
import process from "node:process";

export type Env = Readonly<Record<string, string | undefined>>;

export interface FindSshProgramOptions {
  readonly platform?: NodeJS.Platform;
  /** Asked before PATH. @default where systems and their package managers install OpenSSH */
  readonly directories?: readonly string[];
}

/**
 * The absolute path of the system's `ssh`; undefined when there is none.
 *
 * The system's own directories come first and entries of PATH that are not absolute do not count, so
 * that neither a PATH nor a directory that somebody else has prepared decides what runs. Nothing is
 * remembered: a client that is installed later is found.
 */
export function findSshProgram(env: Env, options: FindSshProgramOptions = {}): string | undefined {
  const { platform = process.platform } = options;
  const isWindows = platform === "win32";
  const paths = isWindows ? win32 : posix;
  const { directories = systemDirectories(env, isWindows) } = options;
  const onPath = (variable(env, "PATH", isWindows) ?? "").split(paths.delimiter);
  return [...directories, ...onPath]
    .filter((directory) => paths.isAbsolute(directory))
    .map((directory) => paths.join(directory, isWindows ? "ssh.exe" : "ssh"))
    .find(isExecutableFile);
}

/** A variable of the environment; on Windows its name may be written in any case. */
export function variable(env: Env, name: string, isWindows: boolean): string | undefined {
  if (!isWindows) return env[name];
  const written = Object.keys(env).find((each) => each.toUpperCase() === name.toUpperCase());
  return written === undefined ? undefined : env[written];
}

function systemDirectories(env: Env, isWindows: boolean): readonly string[] {
  if (!isWindows) return ["/usr/bin", "/bin", "/usr/local/bin", "/opt/homebrew/bin"];
  const root = variable(env, "SystemRoot", true) ?? "C:\\Windows";
  return [win32.join(root, "System32", "OpenSSH")];
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
