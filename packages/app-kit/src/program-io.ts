import type { Env } from "@openclaw/config";
import { lazySink, type TextSink } from "./text-sink.ts";

/** The signals that stop a foreground program. */
export type StopSignal = "SIGINT" | "SIGTERM";

/** Everything a program touches outside itself, so that a test can call it in memory. */
export interface ProgramIo {
  /** The answer. */
  readonly stdout: TextSink;
  /** The story: progress, log lines, warnings, refusals. */
  readonly stderr: TextSink;
  readonly env: Env;
  /** What `os.homedir()` says. */
  readonly homedir: string;
  readonly cwd: string;
  /** Calls `listener` for each stop signal until the returned function is called. */
  onSignal(listener: (signal: StopSignal) => void): () => void;
  /** Ends the process without waiting for anything: the second signal, or a close that hangs. */
  terminate(exitCode: number): void;
}

/** The real thing. Installs no signal handler until someone listens. */
export function processIo(target: NodeJS.Process, homedir: string): ProgramIo {
  return {
    stdout: lazySink(() => target.stdout),
    stderr: lazySink(() => target.stderr),
    env: target.env,
    homedir,
    cwd: target.cwd(),
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
