/** Time for a whole diagnosis, dealt out step by step so that the slowest fault still ends in it. */
export interface Budget {
  /** Milliseconds for a step, of at most `shareMs` when all of it is 5,000; at least 1. */
  step(shareMs: number): number;
  /** The same, for what explains a failure: it may use what is kept back from the steps. */
  explain(shareMs: number): number;
  elapsedMs(): number;
}

/** The time that the shares are made for. */
const WHOLE_MS = 5_000;
/** Kept back from the steps, to explain the failure of one that took all there was. */
const KEPT_BACK = 0.2;
/** Kept back from everything, to say it. */
const KEPT_FOR_SAYING = 0.06;

export function createBudget(totalMs: number, now = () => performance.now()): Budget {
  const startedAt = now();
  const elapsedMs = (): number => now() - startedAt;
  const deal = (shareMs: number, keptBack: number): number => {
    const leftMs = totalMs * (1 - keptBack) - elapsedMs();
    return Math.max(1, Math.floor(Math.min((shareMs * totalMs) / WHOLE_MS, leftMs)));
  };
  return {
    step: (shareMs) => deal(shareMs, KEPT_BACK),
    explain: (shareMs) => deal(shareMs, KEPT_FOR_SAYING),
    elapsedMs,
  };
}
