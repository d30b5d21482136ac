import { spawn, type ChildProcessByStdio } from "node:child_process";
import { randomUUID } from "node:crypto";
import process from "node:process";
import type { Readable } from "node:stream";
import { createOutputCapture, type StreamName } from "./output-capture.ts";
import { killProcessTree } from "./process-tree.ts";

export interface RunOptions {
  /** The file to execute. */
  file: string;
  /** The whole argv; the first is the name that the program sees of itself. */
  argv: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  /** Time for the program; 0 means none of its own. In milliseconds. */
  timeoutMs: number;
  /** Stops the program, with everything it started. */
  signal: AbortSignal;
  /** Time between SIGTERM and SIGKILL. */
  killGraceMs: number;
  /** Told of output as text, while it comes. */
  onOutput(stream: StreamName, text: string): void;
}

export interface RunResult {
  /** Null if a signal ended the program, or if it could not be started. */
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  /** `timeoutMs` or `signal` stopped it. */
  stoppedBy: "timeout" | "signal" | undefined;
  stdout: string;
  stderr: string;
  /** Why it could not be started. */
  startError: Error | undefined;
}

/** Name of the variable that marks a process tree, so that all of it can be found. */
const MARK_NAME = "OPENCLAW_INVOCATION";

// A child in the background may hold the pipes long after the program itself has ended.
const PIPES_AFTER_EXIT_MS = 500;

/** Runs a program without a shell, in a process group of its own. Never rejects. */
export async function runProcess(options: RunOptions): Promise<RunResult> {
  const { file, argv, cwd, env, timeoutMs, signal, killGraceMs, onOutput } = options;
  const capture = createOutputCapture();
  const mark = `${MARK_NAME}=${randomUUID()}`;
  let child: RunningChild;
  try {
    child = spawn(file, argv.slice(1), {
      argv0: argv[0],
      cwd,
      env: { ...env, [MARK_NAME]: mark.slice(MARK_NAME.length + 1) },
      detached: process.platform !== "win32",
      stdio: ["ignore", "pipe", "pipe"],
      windowsHide: true,
    });
  } catch (error) {
    // A null byte in an argument, for example.
    return notStarted(error instanceof Error ? error : new Error(String(error)));
  }
  const take = (stream: StreamName) => (bytes: Buffer) => {
    const text = capture.add(stream, bytes);
    if (text !== "") onOutput(stream, text);
  };
  child.stdout.on("data", take("stdout"));
  child.stderr.on("data", take("stderr"));

  let stoppedBy: RunResult["stoppedBy"];
  let stopping: Promise<unknown> | undefined;
  const stop = (cause: "timeout" | "signal"): void => {
    if (stopping !== undefined || child.pid === undefined) return;
    stoppedBy = cause;
    stopping = killProcessTree({ pid: child.pid, mark }, killGraceMs);
  };
  const onAbort = (): void => stop("signal");
  const timer = timeoutMs > 0 ? setTimeout(stop, timeoutMs, "timeout") : undefined;
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });

  const end = await ended(child);
  clearTimeout(timer);
  signal.removeEventListener("abort", onAbort);
  // The program may be gone before its children are.
  await stopping;
  return {
    exitCode: end.exitCode,
    signal: end.signal,
    stoppedBy,
    stdout: capture.text("stdout"),
    stderr: capture.text("stderr"),
    startError: end.startError,
  };
}

type RunningChild = ChildProcessByStdio<null, Readable, Readable>;

function notStarted(startError: Error): RunResult {
  const nothing = { exitCode: null, signal: null, stoppedBy: undefined, stdout: "", stderr: "" };
  return { ...nothing, startError };
}

interface End {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  startError: Error | undefined;
}

/** Settles when the program has ended and its output is read, or its pipes are held by others. */
function ended(child: RunningChild): Promise<End> {
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    child.once("error", (startError) => {
      if (child.pid === undefined) resolve({ exitCode: null, signal: null, startError });
    });
    child.once("exit", (exitCode, signal) => {
      const end = { exitCode, signal, startError: undefined };
      child.once("close", () => {
        clearTimeout(timer);
        resolve(end);
      });
      timer = setTimeout(() => {
        // Reading goes on in the background, so that those who hold the pipes are not stopped; but it
        // does not keep this process alive.
        for (const stream of [child.stdout, child.stderr]) {
          stream.removeAllListeners("data");
          stream.resume();
          // A pipe is a socket, whatever its type says.
          if ("unref" in stream && typeof stream.unref === "function") stream.unref();
        }
        resolve(end);
      }, PIPES_AFTER_EXIT_MS);
    });
  });
}
