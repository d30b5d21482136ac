/** Where text goes: a process stream, or a buffer in a test. */
export interface TextSink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export type StopSignal = "SIGINT" | "SIGTERM";

/** Everything `runNode` touches outside itself; nothing is read from `process`. */
export interface NodeIo {
  readonly stdout: TextSink;
  /** The story: every attempt, every connection, what to do next. */
  readonly stderr: TextSink;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What `os.homedir()` says. */
  readonly homedir: string;
  /** Calls `listener` for each stop signal until the returned function is called. */
  onSignal(listener: (signal: StopSignal) => void): () => void;
  /** Ends the process without waiting for anything: the second signal, or a close that hangs. */
  terminate(exitCode: number): void;
}

/** The real thing. Installs no signal handler until someone listens. */
export function processIo(target: NodeJS.Process, homedir: string): NodeIo {
  // Whoever read the output may have gone; that is no reason to stop.
  for (const stream of [target.stdout, target.stderr]) stream.on("error", ignoreClosedPipe);
  return {
    stdout: target.stdout,
    stderr: target.stderr,
    env: target.env,
    homedir,
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

function ignoreClosedPipe(error: Error): void {
  if (!("code" in error) || error.code !== "EPIPE") throw error;
}
