import type { StopSignal } from "@openclaw/app-kit";
import { CliError } from "../errors.ts";
import type { CliIo } from "../io.ts";

/** The wish to end a command early, in a way that leaves nothing behind. */
export interface Interruption {
  /** Aborted with the error that the command ends with. */
  readonly signal: AbortSignal;
  interrupt(error: CliError): void;
  /** Gives `work` up when the wish comes; what it still does is nobody's business then. */
  guard<T>(work: Promise<T>): Promise<T>;
  /** Takes the listeners away. */
  release(): void;
}

const SIGNAL_NUMBERS: Readonly<Record<StopSignal, number>> = { SIGINT: 2, SIGTERM: 15 };

/** The exit code is what a shell reports for a program that the signal ended. */
export function interruptedError(name: StopSignal): CliError {
  return new CliError("cli_error", "interrupted.", {
    exitCode: 128 + SIGNAL_NUMBERS[name],
    fields: { kind: "interrupted" },
  });
}

/**
 * Listens for Ctrl-C and its like, where there is something to clean up. Who sends a second signal
 * does not want to wait.
 *
 * @param isListening false leaves the signals to others; `interrupt` works all the same
 */
export function createInterruption(io: CliIo, isListening: boolean): Interruption {
  const controller = new AbortController();
  const { signal } = controller;
  const gone = Promise.withResolvers<never>();
  gone.promise.catch(() => {});
  const interrupt = (error: CliError): void => {
    // First, so that what the abort breaks is not taken for the reason.
    gone.reject(error);
    controller.abort(error);
  };
  const offSignal = isListening
    ? io.onSignal((name) => {
        const error = interruptedError(name);
        if (signal.aborted) io.terminate(error.exitCode);
        interrupt(error);
      })
    : undefined;
  return {
    signal,
    interrupt,
    guard: (work) => Promise.race([work, gone.promise]),
    release: () => offSignal?.(),
  };
}
