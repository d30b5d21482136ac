export interface BackoffOptions {
  /** Ceiling of the first delay. @default 1_000 */
  baseMs: number;
  /** Ceiling of every delay. @default 30_000 */
  maxMs: number;
}

export const defaultBackoff: BackoffOptions = { baseMs: 1_000, maxMs: 30_000 };

/**
 * Delay before attempt number `attempt`, counted from 0: exponential, capped, with full jitter,
 * so that peers which lost the same Gateway do not return in step.
 */
export function backoffDelayMs(
  attempt: number,
  { baseMs, maxMs }: BackoffOptions = defaultBackoff,
  random: () => number = Math.random,
): number {
  return Math.round(random() * Math.min(maxMs, baseMs * 2 ** attempt));
}
