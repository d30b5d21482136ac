import { spawn } from "node:child_process";
import process from "node:process";

/** How an invocation ended. Nothing here throws: a program that fails is an answer. */
export interface ProgramResult {
  /** The arguments, for messages. */
  readonly args: readonly string[];
  /** null when it was not started, or did not end by itself. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /**
   * Why there is no exit code: it was not found, may not be started, took too long, printed too much,
   * was stopped because of what it printed, or ended by a signal.
   */
  readonly failure?: "missing" | "denied" | "timeout" | "flood" | "stopped" | "signal";
}

/** Limits of one invocation. */
export interface ProgramLimits {
  /** The program is killed after this long. */
  readonly timeoutMs: number;
  /** The program is killed when stdout and stderr together hold more than this many bytes. */
  readonly maxOutputBytes: number;
}

/** Options of {@link runProgram}. */
export interface RunProgramOptions {
  readonly limits: ProgramLimits;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Ends the program as soon as what it has printed makes waiting pointless. */
  readonly isPointless?: (output: string) => boolean;
}

/**
 * Runs a program with an argument list, no shell and nothing on stdin, in a process group of its own
 * that is killed with SIGKILL when a limit is reached.
 */
export function runProgram(
  program: string,
  args: readonly string[],
  { limits, env, isPointless = () => false }: RunProgramOptions,
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    const hasGroups = process.platform !== "win32";
    const child = spawn(program, args, {
      env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: hasGroups,
      windowsHide: true,
    });
    const output = { stdout: "", stderr: "" };
    let bytes = 0;
    let failure: ProgramResult["failure"];

    function give(result: Partial<ProgramResult>): void {
      clearTimeout(timer);
      resolve({ args, code: null, ...output, ...(failure ? { failure } : {}), ...result });
    }

    function kill(reason: NonNullable<ProgramResult["failure"]>): void {
      failure ??= reason;
      try {
        if (hasGroups && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
        else child.kill("SIGKILL");
      } catch {
        // It has ended meanwhile.
      }
      // What it has started elsewhere may hold the pipes open; nobody waits for that.
      child.stdout.destroy();
      child.stderr.destroy();
    }

    const timer = setTimeout(() => kill("timeout"), limits.timeoutMs);
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].setEncoding("utf8").on("data", (text: string) => {
        if (failure !== undefined) return;
        bytes += Buffer.byteLength(text);
        if (bytes > limits.maxOutputBytes) return kill("flood");
        output[stream] += text;
        if (isPointless(output.stdout + output.stderr)) kill("stopped");
      });
    }
    child.once("error", ({ code, message }: NodeJS.ErrnoException) => {
      failure = code === "ENOENT" || code === "ENOTDIR" ? "missing" : "denied";
      give({ failure, stderr: message });
    });
    child.once("close", (code, signal) => {
      if (failure === undefined && signal !== null) failure = "signal";
      give({ code: failure === undefined ? code : null });
    });
  });
}
