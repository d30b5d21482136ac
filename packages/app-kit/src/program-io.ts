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
  /**
   * Calls `listener` whenever somebody asks the program to begin anew in the same process (SIGUSR2;
   * SIGUSR1 would open Node's debugger), until the returned function is called.
   */
  onRestart(listener: () => void): () => void;
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
    onRestart(listener) {
      // Windows has no such signal, and refuses to listen for it.
      if (target.platform === "win32") return () => {};
      target.on("SIGUSR2", listener);
      return () => void target.off("SIGUSR2", listener);
    },
    terminate: (exitCode) => target.exit(exitCode),
  };
}
