import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { afterRealMs, DEFAULT_DEADLINE_MS, withDeadline } from "./deadline.ts";
import { forgetGroup, reapWithMe } from "./reaper.ts";

/** A program has to be started first, and others may be starting beside it. */
const LINE_DEADLINE_MS = 20_000;

/** One line a process wrote, without its line break. */
export interface ProcessLine {
  stream: "stdout" | "stderr";
  text: string;
}

/** How a process ended: one of the two is null. */
export interface ProcessExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** Options of {@link startProcess}. */
export interface StartProcessOptions {
  /**
   * The whole environment, besides PATH and the temporary directory's name: what the machine has
   * set never reaches a test. Give a HOME when the program looks for one.
   */
  env?: Record<string, string>;
  cwd?: string;
  /** Written to stdin, which is closed then. @default nothing */
  input?: string;
}

/** Options of {@link TestProcess.line}. */
export interface LineOptions {
  /** @default 20_000 */
  deadlineMs?: number;
  /** Skips this many lines; {@link TestProcess.lines}`.length` taken earlier means "from here on". @default 0 */
  after?: number;
}

/** A child process in a group of its own. */
export interface TestProcess extends AsyncDisposable {
  readonly pid: number;
  /** Everything written so far, in order of arrival. */
  readonly lines: readonly ProcessLine[];
  readonly stdout: string;
  readonly stderr: string;
  /** Settles when the process has ended and its output was read. */
  readonly exited: Promise<ProcessExit>;
  readonly isRunning: boolean;
  /**
   * The first line that fits, already written or still to come; returns the match.
   *
   * @throws {DeadlineError} with the end of the output.
   * @throws when the process ends without having written it.
   */
  line(pattern: RegExp | string, options?: LineOptions): Promise<RegExpMatchArray>;
  /** Sends a signal to the process alone. */
  signal(signal: NodeJS.Signals): void;
  /** SIGSTOP for the whole group: it does nothing and keeps its sockets. */
  freeze(): void;
  /** SIGCONT for the whole group. */
  thaw(): void;
  /** SIGKILL for the whole group, and waits for the end. */
  kill(): Promise<ProcessExit>;
  /**
   * SIGTERM for the process, and SIGKILL for what is left of the group when it has ended, or when
   * `graceMs` (5_000 by default) have passed.
   */
  stop(graceMs?: number): Promise<ProcessExit>;
}

/**
 * Starts a program in a process group of its own. Disposing of the fixture kills the group, and so
 * does the end of the test process, whichever way it ends.
 */
export function startProcess(
  command: string,
  args: readonly string[],
  { env = {}, cwd, input }: StartProcessOptions = {},
): TestProcess {
  const child = spawn(command, args, {
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
    env: { PATH: process.env["PATH"] ?? "", TMPDIR: process.env["TMPDIR"] ?? "/tmp", ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  const name = [command, ...args].join(" ");
  const lines: ProcessLine[] = [];
  const watchers = new Set<(line: ProcessLine) => void>();
  const output = { stdout: "", stderr: "" };
  let isRunning = child.pid !== undefined;
  if (child.pid !== undefined) reapWithMe(child.pid);

  for (const stream of ["stdout", "stderr"] as const) collect(stream, child[stream]);
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);

  const exited = new Promise<ProcessExit>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => (isRunning = false));
    child.once("close", (code, signal) => {
      // Only now: helpers of the program may have outlived it and written until here.
      if (child.pid !== undefined) forgetGroup(child.pid);
      resolve({ code, signal });
    });
  });
  // Whoever waits sees the failure; nobody has to.
  exited.catch(() => undefined);

  function collect(stream: ProcessLine["stream"], readable: Readable): void {
    readable.setEncoding("utf8");
    readable.on("data", (text: string) => (output[stream] += text));
    createInterface({ input: readable }).on("line", (text) => {
      const line = { stream, text };
      lines.push(line);
      for (const watcher of watchers) watcher(line);
    });
  }

  function signalGroup(signal: NodeJS.Signals): void {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, signal);
    } catch (error) {
      // The group is gone, which is what most signals want of it.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }

  const fixture: TestProcess = {
    get pid() {
      if (child.pid === undefined) throw new Error(`${name} could not be started`);
      return child.pid;
    },
    lines,
    get stdout() {
      return output.stdout;
    },
    get stderr() {
      return output.stderr;
    },
    exited,
    get isRunning() {
      return isRunning;
    },
    async line(pattern, { deadlineMs = LINE_DEADLINE_MS, after = 0 } = {}) {
      const match = (text: string): RegExpMatchArray | null =>
        typeof pattern === "string"
          ? text.includes(pattern)
            ? [pattern]
            : null
          : text.match(pattern);
      for (const { text } of lines.slice(after)) {
        const found = match(text);
        if (found) return found;
      }
      const { promise, resolve, reject } = Promise.withResolvers<RegExpMatchArray>();
      const watcher = ({ text }: ProcessLine): void => {
        const found = match(text);
        if (found) resolve(found);
      };
      watchers.add(watcher);
      exited.then(
        ({ code, signal }) =>
          reject(new Error(`${name} ended with ${signal ?? code} before ${pattern}:\n${tail()}`)),
        reject,
      );
      return withDeadline(
        promise,
        deadlineMs,
        () => `waiting for ${pattern} of ${name}:\n${tail()}`,
      ).finally(() => watchers.delete(watcher));
    },
    signal: (signal) => void child.kill(signal),
    freeze: () => signalGroup("SIGSTOP"),
    thaw: () => signalGroup("SIGCONT"),
    kill() {
      signalGroup("SIGKILL");
      return exited;
    },
    async stop(graceMs = DEFAULT_DEADLINE_MS) {
      if (!isRunning) return exited;
      child.kill("SIGTERM");
      // A frozen process keeps SIGTERM waiting.
      signalGroup("SIGCONT");
      const patience = afterRealMs(graceMs, () => signalGroup("SIGKILL"));
      // Helpers that outlive the program hold its output open; they go with it.
      child.once("exit", () => signalGroup("SIGKILL"));
      return exited.finally(() => patience.cancel());
    },
    async [Symbol.asyncDispose]() {
      signalGroup("SIGKILL");
      await exited.catch(() => undefined);
    },
  };
  return fixture;

  function tail(): string {
    return lines
      .slice(-20)
      .map(({ stream, text }) => `${stream}: ${text}`)
      .join("\n");
  }
}
