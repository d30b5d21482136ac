import { execFile, execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";

const PYTHON = "/usr/bin/python3";
const isLinux = process.platform === "linux";

/** sshd starts itself again for each connection and therefore wants to be called by its full path. */
const sshdPath = firstOf(["/usr/sbin/sshd", "/usr/local/sbin/sshd"]);
const dropbearPath = firstOf(["/usr/sbin/dropbear", "/usr/local/sbin/dropbear"]);

/** Whether `startOpenSshServer` works here. It looks at its processes through /proc. */
export const hasSshd: boolean = isLinux && sshdPath !== undefined;
/** Whether `startDropbearServer` works here: it gives root a home directory of its own. */
export const hasDropbear: boolean =
  isLinux && dropbearPath !== undefined && canRun("unshare", ["--mount", "true"]);
/** Whether `startMisbehavingSshServer` works here. */
export const hasAsyncssh: boolean =
  isLinux &&
  existsSync(PYTHON) &&
  canRun(PYTHON, [
    "-c",
    "import importlib.util, sys; sys.exit(importlib.util.find_spec('asyncssh') is None)",
  ]);

/** Full path of sshd. */
export function requireSshd(): string {
  return required(sshdPath, "openssh-server");
}

/** Full path of Dropbear's server. */
export function requireDropbear(): string {
  return required(dropbearPath, "dropbear-bin");
}

/** The Python that has asyncssh: the system's, since one on PATH may be another. */
export function requirePython(): string {
  return required(hasAsyncssh ? PYTHON : undefined, "python3-asyncssh");
}

/** Runs a small program to its end; its output is the result. */
export async function runProgram(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    encoding: "utf8",
  });
  return stdout;
}

function firstOf(paths: readonly string[]): string | undefined {
  return paths.find((path) => existsSync(path));
}

function required(path: string | undefined, debianPackage: string): string {
  if (path !== undefined) return path;
  throw new Error(`this fixture needs the Debian package ${debianPackage}`);
}

function canRun(command: string, args: readonly string[]): boolean {
  try {
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
