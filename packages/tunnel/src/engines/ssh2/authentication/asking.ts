import type { Logger } from "../../../logger.ts";

/** Waits for people, and says so. */
export interface Asking {
  /** Somebody is being asked right now. */
  readonly isWaiting: boolean;
  /** Runs while {@link isWaiting} is true. */
  whileWaiting<T>(work: () => Promise<T>): Promise<T>;
  /** The answer of a callback; undefined also when it fails. */
  ask<T>(what: string, question: () => Promise<T | undefined>): Promise<T | undefined>;
}

/** @param onWaiting told of each change of {@link Asking.isWaiting} */
export function createAsking(
  logger: Logger,
  onWaiting: ((isWaiting: boolean) => void) | undefined,
): Asking {
  let open = 0;

  async function whileWaiting<T>(work: () => Promise<T>): Promise<T> {
    open += 1;
    if (open === 1) onWaiting?.(true);
    try {
      return await work();
    } finally {
      open -= 1;
      if (open === 0) onWaiting?.(false);
    }
  }

  return {
    get isWaiting() {
      return open > 0;
    },
    whileWaiting,
    async ask(what, question) {
      try {
        return await whileWaiting(question);
      } catch (error) {
        // Without its text, which may repeat the answer.
        const name = error instanceof Error ? error.name : typeof error;
        logger.warn({ what, error: name }, "an authentication callback failed");
        return undefined;
      }
    },
  };
}
