import type { Logger } from "../../logger.ts";

/** One failed or refused authentication. Never holds the secret. */
export interface AuthFailure {
  address: string | undefined;
  identity: string;
  /** Why, as the peer was told: `token_mismatch`, `rate_limited`, … */
  reason: string;
}

/** Logs failed authentication so that a storm of it is a few lines. */
export interface FailureLog {
  add(failure: AuthFailure): void;
  /** Logs what has been collected, and ends. */
  close(): void;
}

/** How often what repeats is told again. */
const INTERVAL_MS = 60_000;
/** Different failures that are told each on a line of its own within an interval. */
const MAX_LINES = 50;

interface Line extends AuthFailure {
  count: number;
  firstAt: number;
  lastAt: number;
}

/**
 * The first failure of its kind is told at once. Those that follow, of the same address, identity
 * and reason, are counted, and told as one line a minute with count, first and last; a storm of ever
 * new ones is told as one line a reason.
 */
export function createFailureLog({
  logger,
  now,
}: {
  logger: Logger;
  now: () => number;
}): FailureLog {
  const lines = new Map<string, Line>();
  let timer: NodeJS.Timeout | undefined;

  const tell = ({ count, firstAt, lastAt, ...failure }: Line): void =>
    logger.warn(
      {
        ...failure,
        count,
        first: new Date(firstAt).toISOString(),
        last: new Date(lastAt).toISOString(),
      },
      "authentication failed",
    );

  function flush(): void {
    timer = undefined;
    const repeated = [...lines.values()].filter(({ count }) => count > 0);
    lines.clear();
    for (const line of repeated) tell(line);
    // What has just been told starts as known, so that it is counted and not told again at once.
    for (const line of repeated) lines.set(keyOf(line), { ...line, count: 0 });
    if (repeated.length > 0) schedule();
  }

  function schedule(): void {
    timer ??= setTimeout(flush, INTERVAL_MS);
    timer.unref();
  }

  function place(failure: AuthFailure): { line: Line | undefined; failure: AuthFailure } {
    const line = lines.get(keyOf(failure));
    if (line !== undefined || lines.size < MAX_LINES) return { line, failure };
    const collective = { address: undefined, identity: "others", reason: failure.reason };
    return { line: lines.get(keyOf(collective)), failure: collective };
  }

  return {
    add(failure) {
      const at = now();
      const placed = place(failure);
      const { line } = placed;
      if (line === undefined) {
        const first = { ...placed.failure, count: 0, firstAt: at, lastAt: at };
        lines.set(keyOf(first), first);
        tell({ ...first, count: 1 });
      } else {
        if (line.count === 0) line.firstAt = at;
        line.count += 1;
        line.lastAt = at;
      }
      schedule();
    },
    close() {
      if (timer) clearTimeout(timer);
      for (const line of lines.values()) if (line.count > 0) tell(line);
      lines.clear();
    },
  };
}

function keyOf({ address, identity, reason }: AuthFailure): string {
  return `${address ?? ""} ${identity} ${reason}`;
}
