import { spawn } from "node:child_process";
import process from "node:process";
import { TunnelError } from "../../errors.ts";
import { groupIsGone, send } from "./process-group.ts";
import { createSshLog, readLines, type SshLog } from "./ssh-log.ts";

/** After the end of ssh, its last words may still be on their way; a helper may hold them back. */
const LAST_WORDS_MS = 150;

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** An ssh in a process group of its own. */
export interface SshChild {
  readonly pid: number;
  readonly log: SshLog;
  /** Told of each line, after the log has read it. */
  onLine(callback: (line: string) => void): void;
  /**
   * Settles when ssh has ended, its helpers were killed and its last words were read. Never rejects.
   */
  readonly ended: Promise<ChildExit>;
  /** SIGTERM: ssh says goodbye to the far side. */
  sendTerm(): void;
  /** SIGKILL for ssh and everything it has started. */
  kill(): void;
}

export interface StartSshOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Starts ssh: no shell, no stdin, no terminal to ask on, and a group of its own, so that what it
 * starts ends with it.
 *
 * @throws {@link TunnelError} `ENGINE_MISSING`
 */
export async function startSsh({ program, args, env }: StartSshOptions): Promise<SshChild> {
  const isWindows = process.platform === "win32";
  const child = spawn(program, args, {
    env,
    stdio: ["ignore", "ignore", "pipe"],
    detached: !isWindows,
    windowsHide: true,
  });
  const exited = new Promise<ChildExit>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const log = createSshLog();
  const listeners: ((line: string) => void)[] = [];
  readLines(child.stderr, (line) => {
    log.add(line);
    for (const listener of listeners) listener(line);
  });
  const { pid } = child;
  if (pid === undefined) {
    const cause = await new Promise<Error>((resolve) => child.once("error", resolve));
    throw new TunnelError("ENGINE_MISSING", `${program} cannot be started: ${cause.message}.`, {
      cause,
      hint: "Install an OpenSSH client, or name another program.",
    });
  }
  child.on("error", () => {});
  const target = isWindows ? pid : -pid;
  let hasEnded = false;

  const ended = exited.then(async (exit) => {
    // Helpers that ignore the end of their ssh. While one is left, nobody else can have the number.
    if (!isWindows) send(target, "SIGKILL");
    hasEnded = true;
    await Promise.race([closed, after(LAST_WORDS_MS)]);
    child.stderr.destroy();
    if (!isWindows) await groupIsGone(pid);
    return exit;
  });

  return {
    pid,
    log,
    ended,
    onLine: (callback) => void listeners.push(callback),
    sendTerm() {
      if (!hasEnded) child.kill("SIGTERM");
    },
    kill() {
      if (!hasEnded) send(target, "SIGKILL");
    },
  };
}

function after(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs).unref());
}
