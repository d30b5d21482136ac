import { setTimeout as delay } from "node:timers/promises";

/** How often a condition of another process is looked at. */
const LOOK_EVERY_MS = 100;

/**
 * Looks until there is a value, and returns it. Other processes tell nobody when they are done, so
 * there is nothing to wait on but looking.
 *
 * @throws when there is none within `deadlineMs`.
 */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  deadlineMs = 30_000,
): Promise<T> {
  const giveUpAt = performance.now() + deadlineMs;
  for (;;) {
    const value = await look();
    if (value !== undefined) return value;
    if (performance.now() > giveUpAt) {
      throw new Error(`gave up after ${deadlineMs / 1000} s waiting for ${what}`);
    }
    await delay(LOOK_EVERY_MS);
  }
}
