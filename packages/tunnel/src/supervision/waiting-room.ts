import { TunnelError } from "../errors.ts";

/** Those who wait for something to come back, at most so many and so long. */
export interface WaitingRoom<T> {
  readonly size: number;
  /**
   * @throws {@link TunnelError} `WAIT_EXPIRED`, `TOO_MANY_WAITING`, what {@link WaitingRoom.fail} was
   * given, or the reason of the signal
   */
  wait(signal: AbortSignal | undefined): Promise<T>;
  /** Lets everybody go. */
  admit(value: T): void;
  /** Sends everybody away. */
  fail(error: TunnelError): void;
}

/** @param reason tells why one has to wait, for the message */
export function createWaitingRoom<T>(
  { timeoutMs, max }: { timeoutMs: number; max: number },
  reason: () => TunnelError | undefined,
): WaitingRoom<T> {
  const waiting = new Set<{ resolve: (value: T) => void; reject: (error: unknown) => void }>();
  return {
    get size() {
      return waiting.size;
    },
    wait(signal) {
      if (waiting.size >= max) {
        return Promise.reject(
          new TunnelError("TOO_MANY_WAITING", `${max} connections wait for the tunnel already.`, {
            cause: reason(),
          }),
        );
      }
      return new Promise<T>((resolve, reject) => {
        const leave = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", abort);
          waiting.delete(one);
        };
        const one = {
          resolve: (value: T) => {
            leave();
            resolve(value);
          },
          reject: (error: unknown) => {
            leave();
            reject(error);
          },
        };
        const abort = (): void => one.reject(signal?.reason);
        const timer = setTimeout(() => {
          const cause = reason();
          const why = cause === undefined ? "" : ` (${cause.message})`;
          one.reject(
            new TunnelError(
              "WAIT_EXPIRED",
              `the tunnel did not come back in ${timeoutMs} ms${why}.`,
              {
                cause,
                hint: cause?.hint,
              },
            ),
          );
        }, timeoutMs);
        waiting.add(one);
        if (signal?.aborted) abort();
        else signal?.addEventListener("abort", abort, { once: true });
      });
    },
    admit(value) {
      for (const one of waiting) one.resolve(value);
    },
    fail(error) {
      for (const one of waiting) one.reject(error);
    },
  };
}
