import { backoffDelayMs } from "./backoff.ts";
import type { BackoffOptions } from "./backoff.ts";
import type { GatewayError } from "../errors.ts";

/** For this long a device asks quickly whether it has been approved. */
const PAIRING_QUICK_FOR_MS = 5 * 60_000;
/** Approval has to be felt within a second, the handshake that follows included. */
const PAIRING_QUICK_MS = 600;
const PAIRING_SLOW_MS = 10_000;
/** Authentication that may heal with time, such as a lockout. */
const AUTH_RETRY_MS = 60_000;
/** What a Gateway may ask for at most. */
const MAX_RETRY_AFTER_MS = 5 * 60_000;

export interface RetryInput {
  readonly error: GatewayError;
  /** Failures in a row, this one included. */
  readonly failures: number;
  /** Since when the client has been waiting for approval. */
  readonly pairingForMs: number;
  readonly backoff: BackoffOptions;
  readonly random: () => number;
}

/** Pause before the next attempt. Every pause has a random part, so that peers do not return in step. */
export function retryDelayMs(input: RetryInput): number {
  const { error, failures, backoff, random } = input;
  const spread = (ms: number): number => Math.round(ms / 2 + (random() * ms) / 2);
  if (error.code === "PAIRING_REQUIRED") {
    return spread(input.pairingForMs < PAIRING_QUICK_FOR_MS ? PAIRING_QUICK_MS : PAIRING_SLOW_MS);
  }
  const delay =
    error.code === "AUTH_FAILED" && error.retryAfterMs === undefined
      ? spread(AUTH_RETRY_MS)
      : backoffDelayMs(failures - 1, backoff, random);
  if (error.retryAfterMs === undefined) return delay;
  // The server names the earliest moment; the jitter comes on top.
  const earliest = Math.min(error.retryAfterMs, MAX_RETRY_AFTER_MS);
  return Math.max(delay, earliest + Math.round(random() * Math.min(backoff.baseMs, earliest)));
}

/** The connection broke without a word of the peer: the line went, or the process at its end. */
export function isBrokenLine({ code, closeCode, retryAfterMs }: GatewayError): boolean {
  return code === "CONNECTION_LOST" && closeCode === 1006 && retryAfterMs === undefined;
}

/** The pause is the peer's wish or an operator's time, and has nothing to do with the line. */
export function isPauseFixed({ code, retryAfterMs }: GatewayError): boolean {
  if (retryAfterMs !== undefined) return true;
  return code !== "CONNECTION_LOST" && code !== "CONNECT_REFUSED" && code !== "CONNECT_TIMEOUT";
}
