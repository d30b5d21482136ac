/**
 * The timers of the process as it started: a test that installs fake timers must still be able to
 * run out of patience with a real socket.
 */
const { setTimeout: realSetTimeout, clearTimeout: realClearTimeout } = globalThis;

/** How long the helpers of this package wait before they give up. */
export const DEFAULT_DEADLINE_MS = 5_000;

/** Something that was waited for did not happen in time; the message says what had happened instead. */
export class DeadlineError extends Error {
  override readonly name: string = "DeadlineError";
}

/**
 * Settles as `promise` does, or rejects with {@link DeadlineError} after `deadlineMs`.
 * `describe` is called only then, so that it can report what was seen in the meantime.
 */
export function withDeadline<T>(
  promise: Promise<T>,
  deadlineMs: number,
  describe: () => string,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = realSetTimeout(() => {
      reject(new DeadlineError(`gave up after ${deadlineMs} ms: ${describe()}`));
    }, deadlineMs);
    promise.then(resolve, reject).finally(() => realClearTimeout(timer));
  });
}

/** Runs `callback` once after `delayMs` of real time; the handle cancels it. */
export function afterRealMs(delayMs: number, callback: () => void): { cancel(): void } {
  const timer = realSetTimeout(callback, delayMs);
  return { cancel: () => realClearTimeout(timer) };
}
