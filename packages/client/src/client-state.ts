import type { GatewayError } from "./errors.ts";

/** Where a {@link GatewayClient} stands. Points in time are epoch milliseconds. */
export type GatewayClientState =
  /** `connect()` has not been called. */
  | { readonly kind: "idle" }
  /** Dialling or shaking hands; attempts count from 1 and start anew after a stable connection. */
  | { readonly kind: "connecting"; readonly attempt: number }
  | { readonly kind: "open"; readonly openedAtMs: number; readonly protocol: number }
  /**
   * Lost or never reached; the next attempt starts at `retryAtMs`. With a carrier that is away it
   * starts when that is back.
   */
  | {
      readonly kind: "waiting";
      readonly attempt: number;
      readonly retryAtMs: number;
      readonly reason: GatewayError;
    }
  /** An operator has to approve this device; the client asks again until then. */
  | {
      readonly kind: "pairing";
      readonly requestId: string | undefined;
      readonly retryAtMs: number;
      readonly reason: GatewayError;
    }
  | { readonly kind: "closed"; readonly info: CloseInfo };

/** Why a client is closed. */
export interface CloseInfo {
  /** Close code of the last connection, where there was one. */
  readonly code: number | undefined;
  readonly reason: string;
  /** What ended it; absent after `close()`. */
  readonly error: GatewayError | undefined;
}

/** One failed attempt to connect, or one lost connection. */
export interface AttemptFailure {
  /** Counts from 1 and starts anew after a stable connection. */
  readonly attempt: number;
  readonly error: GatewayError;
  /**
   * Pause before the next attempt; `undefined` when there is none. With a carrier that is away it is
   * as long as that stays away.
   */
  readonly retryInMs: number | undefined;
}

/** Events between two that arrived are missing: the Gateway skipped them for this slow reader. */
export interface SequenceGap {
  readonly expected: number;
  readonly received: number;
}
