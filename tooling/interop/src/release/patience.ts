import { setTimeout as delay } from "node:timers/promises";

/** A peer that lost its Gateway may wait 30 s before it tries again. */
const LOOK_FOR_MS = 60_000;

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
  deadlineMs = LOOK_FOR_MS,
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
