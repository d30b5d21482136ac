/** Where text goes: a process stream, or a buffer in a test. */
export interface TextSink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** The signals that stop a foreground program. */
export type StopSignal = "SIGINT" | "SIGTERM";

/** Everything `runGateway` touches outside itself; nothing is read from `process`. */
export interface GatewayIo {
  /** The banner. */
  readonly stdout: TextSink;
  /** The story: log lines, refusals. */
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
export function processIo(target: NodeJS.Process, homedir: string): GatewayIo {
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
