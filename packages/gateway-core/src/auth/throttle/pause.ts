import type { ThrottleOptions } from "./throttle-options.ts";

/** Whoever mistypes, or finds the right file at the second try, does not wait. */
const FREE_FAILURES = 3;
/** The first pause. */
const FIRST_PAUSE_MS = 250;
/** What the pause does not grow beyond before `maxAttempts`, and for an exempt peer never. */
export const SHORT_PAUSE_MS = 5_000;

/**
 * The pause after so many failures in a row, counted from 1: none for the first three, then doubling,
 * up to five seconds; from `maxAttempts` failures on it goes on doubling, up to `lockoutMs`, unless
 * the peer is exempt from that.
 */
export function pauseMs(
  failures: number,
  {
    maxAttempts,
    lockoutMs,
    isExempt,
  }: Pick<ThrottleOptions, "maxAttempts" | "lockoutMs"> & { isExempt: boolean },
): number {
  if (isExempt || failures < maxAttempts) {
    if (failures <= FREE_FAILURES) return 0;
    const doubled = FIRST_PAUSE_MS * 2 ** Math.min(failures - FREE_FAILURES - 1, 10);
    return Math.min(SHORT_PAUSE_MS, doubled, lockoutMs);
  }
  return Math.min(lockoutMs, SHORT_PAUSE_MS * 2 ** Math.min(failures - maxAttempts + 1, 30));
}
