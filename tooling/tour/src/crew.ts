import { spawn, type ChildProcess } from "node:child_process";
import { constants } from "node:os";
import { createInterface } from "node:readline";
import { TourError } from "./tour-error.ts";

/** How a process ended. */
export interface ChildEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A process that stays up. */
export interface CrewMember {
  readonly pid: number | undefined;
  readonly isRunning: boolean;
  /** Settles at the end, never rejects. */
  readonly ended: Promise<ChildEnd>;
  /** The last lines that it wrote to stderr. */
  readonly lastWords: readonly string[];
  /**
   * The first line that fits, already written or still to come.
   *
   * @throws {TourError} when the process ends without it, or `timeoutMs` pass
   */
  line(pattern: RegExp, timeoutMs: number): Promise<RegExpExecArray>;
  /** Asks it to end, and makes it after {@link STOP_GRACE_MS}. */
  stop(): Promise<void>;
}

/** What a command wrote, and how it ended. */
export interface CommandOutput extends ChildEnd {
  stdout: string;
  stderr: string;
}

/** The processes of the tour. They share its process group, so that a Ctrl-C reaches all of them. */
export interface Crew {
  /** Starts a process that stays up; `title` is what people call it. */
  start(title: string, args: readonly string[], env: Env): CrewMember;
  /** Runs a command to its end. @throws {TourError} after `timeoutMs` */
  run(title: string, args: readonly string[], env: Env, timeoutMs: number): Promise<CommandOutput>;
  /**
   * Stops all, the last one started first. With `isTold` they have been asked already, by the same
   * Ctrl-C, and are asked again only when that did not help: the second time means "at once" to them.
   */
  stop(options: { isTold: boolean }): Promise<void>;
  /** Ends all at once, on the way out of a failure. */
  kill(): void;
}

export type Env = Readonly<Record<string, string | undefined>>;

export interface CrewOptions {
  /** Program and first arguments of every process. */
  command: readonly [string, ...string[]];
  cwd: string;
}

/** Time between the request to end and the end by force. */
export const STOP_GRACE_MS = 2_000;
/** Time for processes that the terminal's Ctrl-C has reached as well. */
const TOLD_GRACE_MS = 1_000;
/** Time for the output of a process that has ended. */
const OUTPUT_GRACE_MS = 500;
const LAST_WORDS = 12;

/** Creates a {@link Crew}. */
export function createCrew({ command, cwd }: CrewOptions): Crew {
  const members: CrewMember[] = [];
  const processes = new Set<ChildProcess>();
  const [program, ...firstArgs] = command;

  function launch(args: readonly string[], env: Env): ChildProcess {
    const child = spawn(program, [...firstArgs, ...args], {
      cwd,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    processes.add(child);
    return child;
  }

  return {
    start(title, args, env) {
      const member = createMember(title, launch(args, env), (child) => processes.delete(child));
      members.push(member);
      return member;
    },
    async run(title, args, env, timeoutMs) {
      const child = launch(args, env);
      const output = { stdout: "", stderr: "" };
      for (const stream of ["stdout", "stderr"] as const) {
        child[stream]?.setEncoding("utf8");
        child[stream]?.on("data", (text: string) => (output[stream] += text));
      }
      let isLate = false;
      const timer = setTimeout(() => {
        isLate = true;
        child.kill("SIGKILL");
      }, timeoutMs);
      const end = await ending(child);
      clearTimeout(timer);
      processes.delete(child);
      if (isLate) {
        const seconds = timeoutMs / 1_000;
        throw new TourError(`${title} took longer than ${seconds} s`, tail(output.stderr));
      }
      return { ...output, ...end };
    },
    async stop({ isTold }) {
      if (isTold) await within(Promise.all(members.map(({ ended }) => ended)), TOLD_GRACE_MS);
      for (const member of members.toReversed()) await member.stop();
      for (const child of processes) child.kill("SIGKILL");
    },
    kill() {
      for (const child of processes) child.kill("SIGKILL");
    },
  };
}

function createMember(
  title: string,
  child: ChildProcess,
  onEnd: (child: ChildProcess) => void,
): CrewMember {
  const lines: string[] = [];
  const lastWords: string[] = [];
  const watchers = new Set<(line: string) => void>();
  let isRunning = true;
  const ended = ending(child).then((end) => {
    isRunning = false;
    onEnd(child);
    return end;
  });
  for (const stream of ["stdout", "stderr"] as const) {
    const readable = child[stream];
    if (readable === null) continue;
    createInterface({ input: readable }).on("line", (line) => {
      lines.push(line);
      if (stream === "stderr") lastWords.push(line);
      if (lastWords.length > LAST_WORDS) lastWords.shift();
      for (const watcher of watchers) watcher(line);
    });
  }

  return {
    lastWords,
    ended,
    get pid() {
      return child.pid;
    },
    get isRunning() {
      return isRunning;
    },
    async line(pattern, timeoutMs) {
      const found = Promise.withResolvers<RegExpExecArray>();
      const look = (line: string): void => {
        const match = pattern.exec(line);
        if (match !== null) found.resolve(match);
      };
      for (const line of lines) look(line);
      watchers.add(look);
      const timer = setTimeout(() => {
        found.reject(
          new TourError(`${title} was not ready within ${timeoutMs / 1_000} s`, lastWords),
        );
      }, timeoutMs);
      void ended.then((end) => {
        found.reject(new TourError(`${title} ended with ${describeEnd(end)}`, lastWords));
      });
      try {
        return await found.promise;
      } finally {
        clearTimeout(timer);
        watchers.delete(look);
      }
    },
    async stop() {
      if (!isRunning) return;
      child.kill("SIGTERM");
      await within(ended, STOP_GRACE_MS);
      if (!isRunning) return;
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** `exit code 1`, or the signal. */
export function describeEnd({ code, signal }: ChildEnd): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}

/** The exit code that a shell would report. */
export function exitCodeOf({ code, signal }: ChildEnd): number {
  return code ?? 128 + constants.signals[signal ?? "SIGKILL"];
}

function ending(child: ChildProcess): Promise<ChildEnd> {
  return new Promise((resolve) => {
    child.once("error", () => resolve({ code: 127, signal: null }));
    // Its last output comes before "close"; what it leaves behind may hold its pipes open for ever.
    child.once("close", (code, signal) => resolve({ code, signal }));
    child.once("exit", (code, signal) => {
      setTimeout(() => resolve({ code, signal }), OUTPUT_GRACE_MS).unref();
    });
  });
}

async function within(ended: Promise<unknown>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeoutMs);
  });
  await Promise.race([ended, patience]);
  clearTimeout(timer);
}

function tail(text: string): string[] {
  return text.trimEnd().split("\n").slice(-LAST_WORDS);
}
