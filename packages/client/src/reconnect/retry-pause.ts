import { pauseForCarrier, returnDelayMs } from "./carrier-pause.ts";
import { isBrokenLine, isPauseFixed, retryDelayMs } from "./retry-delay.ts";
import type { ResolvedGatewayClientOptions } from "../client-options.ts";
import type { GatewayError } from "../errors.ts";

/** Who is told when a pause ends; one of the two, unless it was ended before. */
export interface PauseListener {
  /** Time for the next attempt. `wasAway` tells whether the carrier had gone meanwhile. */
  over(wasAway: boolean): void;
  /** The carrier will not come back. */
  final(cause: unknown): void;
}

/** The pauses between the attempts of one client, of which one runs at a time. */
export interface RetryPause {
  /** How long the pause after `error` is, unless the carrier is away. */
  lengthMs(error: GatewayError, failures: number, pairingForMs: number): number;
  start(error: GatewayError, delayMs: number, listener: PauseListener): void;
  end(): void;
}

export function createRetryPause(options: ResolvedGatewayClientOptions): RetryPause {
  const { backoff, carrierReady, now, random } = options;
  let lastReturnAt = -Infinity;
  let endPause: (() => void) | undefined;

  function returnMs(): number {
    return returnDelayMs(now() - lastReturnAt, random);
  }

  return {
    lengthMs(error, failures, pairingForMs) {
      // The first loss after a stable while is the line's; whoever is lost again and again is not
      // met sooner for having a carrier.
      if (carrierReady && failures === 1 && isBrokenLine(error)) return returnMs();
      return retryDelayMs({ error, failures, pairingForMs, backoff, random });
    },
    start(error, delayMs, listener) {
      if (!carrierReady) {
        const timer = setTimeout(() => listener.over(false), delayMs);
        endPause = () => clearTimeout(timer);
        return;
      }
      endPause = pauseForCarrier({
        ready: carrierReady,
        delayMs,
        isFixed: isPauseFixed(error),
        returnMs,
        maxWaitMs: backoff.maxMs,
        onOver(wasAway) {
          if (wasAway || isBrokenLine(error)) lastReturnAt = now();
          listener.over(wasAway);
        },
        onFinal: listener.final,
      });
    },
    end: () => endPause?.(),
  };
}
