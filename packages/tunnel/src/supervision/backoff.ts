/** Pauses between attempts, in milliseconds. */
export interface BackoffOptions {
  /** Upper bound of the first pause. */
  readonly baseMs: number;
  /** Upper bound of every pause. */
  readonly maxMs: number;
}

export const defaultBackoff: BackoffOptions = { baseMs: 250, maxMs: 15_000 };

/** An outage of seconds is a restart or a sleep, and worth a look every few seconds. */
const BRISK_MS = 2_000;
/** Pauses grow with the outage: one of minutes need not be over any second. */
const OUTAGE_SHARE = 1 / 8;
/** A server that refuses us counts refusals, and may lock us out for good. */
const REFUSED_MS = 30_000;

/** What the next pause depends on. */
export interface Outage {
  /** Failed attempts in a row, from 1. */
  readonly failures: number;
  /** How long the connection has been away. */
  readonly lastedMs: number;
  /** The server answered and did not let us in. */
  readonly wasRefused: boolean;
}

/**
 * The pause before the next attempt, with full jitter, so that a server that comes back does not meet
 * all its clients at once.
 *
 * @param random source of jitter, 0 ≤ x < 1
 */
export function backoffDelayMs(
  outage: Outage,
  options: BackoffOptions,
  random: () => number,
): number {
  const { baseMs, maxMs } = options;
  const patientMs = Math.max(BRISK_MS, outage.lastedMs * OUTAGE_SHARE);
  const doubledMs = baseMs * 2 ** Math.min(outage.failures - 1, 30);
  const capMs = Math.min(doubledMs, patientMs, maxMs);
  const delayMs = random() * capMs;
  return Math.round(outage.wasRefused ? REFUSED_MS / 2 + random() * (REFUSED_MS / 2) : delayMs);
}
