import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { promisify } from "node:util";

const PYTHON = "/usr/bin/python3";
/** Where Debian puts it; to ask Python would cost every test file that imports this package. */
const ASYNCSSH = "/usr/lib/python3/dist-packages/asyncssh";
/** Number of the capability that mounting takes. */
const CAP_SYS_ADMIN = 21n;

const isLinux = process.platform === "linux";

/** sshd starts itself again for each connection and therefore wants to be called by its full path. */
const sshdPath = firstOf(["/usr/sbin/sshd", "/usr/local/sbin/sshd"]);
const dropbearPath = firstOf(["/usr/sbin/dropbear", "/usr/local/sbin/dropbear"]);

/** Whether `startOpenSshServer` works here. It looks at its processes through /proc. */
export const hasSshd: boolean = isLinux && sshdPath !== undefined;
/** Whether `startDropbearServer` works here: it gives its user another home directory, which takes root. */
export const hasDropbear: boolean =
  isLinux && dropbearPath !== undefined && process.getuid?.() === 0 && mayMount();
/** Whether `startMisbehavingSshServer` works here. */
export const hasAsyncssh: boolean = isLinux && existsSync(PYTHON) && existsSync(ASYNCSSH);

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

/** Root in a container often may not. */
function mayMount(): boolean {
  const status = readFileSync("/proc/self/status", "utf8");
  const effective = /^CapEff:\s*([0-9a-f]+)$/mu.exec(status)?.[1] ?? "0";
  return ((BigInt(`0x${effective}`) >> CAP_SYS_ADMIN) & 1n) === 1n;
}
