import { isFinalFailure } from "../carrier/dial.ts";
import type { CarrierReadyFunction } from "../carrier/dial.ts";

/** Ceiling of the pause after the carrier has come back; many clients may have waited for it. */
const RETURN_JITTER_MS = 250;
/** Dials that follow the carrier are at least this far apart, whatever the carrier says. */
const MIN_RETURN_SPACING_MS = 1_000;
/** First look during a backoff, doubling from one to the next. */
const LOOK_AGAIN_MS = 50;

export interface CarrierPauseOptions {
  readonly ready: CarrierReadyFunction;
  /** Pause when the carrier is there: the cause is then not its absence. */
  readonly delayMs: number;
  /** The peer asked for the pause; a carrier that comes back does not shorten it. */
  readonly isFixed: boolean;
  /** Pause once the carrier is back. */
  returnMs(): number;
  /** A carrier that says nothing for this long is asked by a dial. */
  readonly maxWaitMs: number;
  /** The pause is over. `wasAway` tells whether the carrier had gone meanwhile. */
  onOver(wasAway: boolean): void;
  /** The carrier will not come back. */
  onFinal(cause: unknown): void;
}

/**
 * The pause between two attempts of a client whose carrier reconnects by itself.
 *
 * The carrier has one loop that finds out when the far side is reachable again. A second loop beside
 * it, with a backoff of its own, would either dial into nothing or sleep on after the way is free.
 * So while the carrier is away there is no backoff here: the client waits to be told and then dials
 * at once, with just enough jitter that the peers of a restarted host do not arrive in one instant.
 * While the carrier is there, the cause lies behind it, and the backoff is what is right.
 *
 * A signal that never comes must not leave a node offline for ever, so the wait has a limit; the dial
 * after it costs nothing, because a carrier that is away only lets it wait.
 *
 * Returns the function that ends the pause; nothing is told after it was called.
 */
export function pauseForCarrier(options: CarrierPauseOptions): () => void {
  const { delayMs, isFixed, returnMs } = options;
  const controller = new AbortController();
  const { signal } = controller;
  const look = (): Promise<Carrier> => waitForCarrier(options, signal);

  /** Sleeps on while the carrier is there: it may notice its own loss later than its streams do. */
  async function backOff(): Promise<Carrier> {
    let stepMs = isFixed ? delayMs : LOOK_AGAIN_MS;
    for (let leftMs = delayMs; ; leftMs -= stepMs, stepMs *= 2) {
      // oxlint-disable-next-line no-await-in-loop
      await sleep(Math.min(stepMs, leftMs), signal);
      // oxlint-disable-next-line no-await-in-loop
      const found = await look();
      if (found !== "there" || leftMs <= stepMs || signal.aborted) return found;
    }
  }

  async function untilOver(): Promise<boolean> {
    let found: Carrier = isFixed ? "there" : await look();
    if (found === "there") found = await backOff();
    if (found === "there") return false;
    if (found === "back") {
      await sleep(returnMs(), signal);
      // It may have gone again during that pause.
      await look();
    }
    return true;
  }

  async function run(): Promise<void> {
    let away: boolean;
    try {
      away = await untilOver();
    } catch (cause) {
      if (!signal.aborted) options.onFinal(cause);
      return;
    }
    if (!signal.aborted) options.onOver(away);
  }
  void run();
  return () => controller.abort();
}

/** The pause after the carrier has come back. `sinceLastMs` is the time since the last such dial. */
export function returnDelayMs(sinceLastMs: number, random: () => number): number {
  const jitter = Math.round(random() * RETURN_JITTER_MS);
  return Math.max(jitter, Math.ceil(MIN_RETURN_SPACING_MS - sinceLastMs));
}

/** It was there already, it was away and came back, or it says nothing. */
type Carrier = "there" | "back" | "silent";

/**
 * Waits until the carrier is there, at most `maxWaitMs`. It was there already when it says so within
 * this turn of the loop; one that cannot tell counts as being there.
 *
 * @throws what the carrier said, when that is final
 */
async function waitForCarrier(
  { ready, maxWaitMs }: CarrierPauseOptions,
  outer: AbortSignal,
): Promise<Carrier> {
  const done = new AbortController();
  const signal = AbortSignal.any([outer, done.signal]);
  // Also a function that throws at once has answered.
  const answer = (async () => ready(signal))().then(
    () => true,
    (cause: unknown) => {
      if (isFinalFailure(cause) && !signal.aborted) throw cause;
      return false;
    },
  );
  try {
    const atOnce = await Promise.race([answer, sleep(0, signal)]);
    if (atOnce !== undefined) return "there";
    const isBack = await Promise.race([answer, sleep(maxWaitMs, signal)]);
    if (isBack === undefined) return "silent";
    return isBack ? "back" : "there";
  } finally {
    // Ends the timers, and tells the carrier that nobody listens any more.
    done.abort();
  }
}

/** Resolves after `ms`, or when the signal is aborted. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(over, ms);
    signal.addEventListener("abort", over, { once: true });
    function over(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", over);
      resolve();
    }
  });
}
