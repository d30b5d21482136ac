import { basename } from "node:path";

/** Where text goes: a process stream, or a buffer in a test. */
export interface TextSink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** Width of the terminal, where it is one. */
  readonly columns?: number;
}

export type StopSignal = "SIGINT" | "SIGTERM";

/** Everything the program touches outside itself, so that a test can call it in memory. */
export interface CliIo {
  /** The answer. */
  readonly stdout: TextSink;
  /** The story: progress, warnings, errors. */
  readonly stderr: TextSink;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What `os.homedir()` says. */
  readonly homedir: string;
  readonly cwd: string;
  /** The name the program was called by, for the hints it prints. */
  readonly programName: string;
  /** Calls `listener` for each stop signal until the returned function is called. */
  onSignal(listener: (signal: StopSignal) => void): () => void;
  /** Ends the process without waiting for anything: a second Ctrl-C. */
  terminate(exitCode: number): void;
}

/** The names under which the program is installed. */
export const PROGRAM_NAMES = ["openclaw", "clawdbot", "moltbot"] as const;

/** The real thing. Installs no signal handler until someone listens. */
export function processIo(target: NodeJS.Process, homedir: string): CliIo {
  return {
    stdout: lazySink(() => target.stdout),
    stderr: lazySink(() => target.stderr),
    env: target.env,
    homedir,
    cwd: target.cwd(),
    programName: programNameOf(target.argv[1]),
    onSignal(listener) {
      const onInterrupt = (): void => listener("SIGINT");
      const onTerminate = (): void => listener("SIGTERM");
      target.on("SIGINT", onInterrupt);
      target.on("SIGTERM", onTerminate);
      return () => {
        target.off("SIGINT", onInterrupt);
        target.off("SIGTERM", onTerminate);
      };
    },
    terminate: (exitCode) => target.exit(exitCode),
  };
}

function programNameOf(script: string | undefined): string {
  const called = basename(script ?? "").replace(/\.[cm]?js$/, "");
  return PROGRAM_NAMES.find((name) => name === called) ?? PROGRAM_NAMES[0];
}

/** Opens the stream at first use: most runs have no story to tell, and opening takes a while. */
function lazySink(open: () => NodeJS.WriteStream): TextSink {
  let stream: NodeJS.WriteStream | undefined;
  const get = (): NodeJS.WriteStream => {
    // A reader that has seen enough, as in `openclaw nodes list | head -1`, is no failure.
    stream ??= open().on("error", ignoreClosedPipe);
    return stream;
  };
  return {
    write: (text) => get().write(text),
    get isTTY() {
      return get().isTTY;
    },
    get columns() {
      return get().columns;
    },
  };
}

function ignoreClosedPipe(error: Error): void {
  if (!("code" in error) || error.code !== "EPIPE") throw error;
}
