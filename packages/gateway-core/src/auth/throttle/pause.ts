import type { ThrottleOptions } from "./throttle-options.ts";

/** The pause after the first failure. */
const FIRST_PAUSE_MS = 250;
/** What the pause does not grow beyond before `maxAttempts`, and for an exempt peer never. */
export const SHORT_PAUSE_MS = 5_000;

/**
 * The pause after so many failures in a row, counted from 1: doubling, up to five seconds; after
 * `maxAttempts` failures it goes on doubling, up to `lockoutMs`, unless the peer is exempt from that.
 */
export function pauseMs(
  failures: number,
  {
    maxAttempts,
    lockoutMs,
    isExempt,
  }: Pick<ThrottleOptions, "maxAttempts" | "lockoutMs"> & { isExempt: boolean },
): number {
  const short = Math.min(
    SHORT_PAUSE_MS,
    FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 10),
    lockoutMs,
  );
  if (isExempt || failures < maxAttempts) return short;
  return Math.min(lockoutMs, SHORT_PAUSE_MS * 2 ** Math.min(failures - maxAttempts + 1, 30));
}
