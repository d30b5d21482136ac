import { startConnectClock } from "./connect-clock.ts";

/** One attempt to connect: it fails when its time is over, when it is given up, or when ssh ends. */
export interface Attempt {
  /** Rejects with the reason why it failed; never resolves. */
  readonly failed: Promise<never>;
  /** The first reason counts. */
  fail(reason: unknown): void;
  /** Stops the clock while a person is asked; the function that is returned lets it go on. */
  pause(): () => void;
  /** It is over, whichever way. */
  end(): void;
}

/** Starts the clock of an attempt. */
export function startAttempt(
  timeoutMs: number,
  signal: AbortSignal,
  tooSlow: () => Error,
): Attempt {
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  // Whoever waits at that moment sees the reason; there may be nobody.
  failed.catch(() => {});
  const clock = startConnectClock(timeoutMs, () => fail(tooSlow()));
  const abort = (): void => fail(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  return {
    failed,
    fail,
    pause: () => clock.pause(),
    end() {
      clock.clear();
      signal.removeEventListener("abort", abort);
    },
  };
}
