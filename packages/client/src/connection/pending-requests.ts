import { GatewayError } from "../errors.ts";

/** A request that waits for its answer. */
export interface PendingRequest {
  readonly method: string;
  readonly resolve: (payload: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly timeoutMs: number;
  readonly expectFinal: boolean;
  /** Removes what ties the request to its signal. */
  readonly release: (() => void) | undefined;
}

interface Entry extends PendingRequest {
  readonly deadlineAt: number;
}

/**
 * Requests in flight, by id. All deadlines share one timer, which is set only when a deadline comes
 * before the one it is set for: with equal timeouts that is once per timeout, not once per request.
 */
export interface PendingRequests {
  readonly size: number;
  add(id: string, request: PendingRequest): void;
  get(id: string): PendingRequest | undefined;
  /** Takes the request out; whoever does so settles it. */
  take(id: string): PendingRequest | undefined;
  /** Rejects and forgets all of them. */
  failAll(error: unknown): void;
}

export function createPendingRequests(now: () => number): PendingRequests {
  const entries = new Map<string, Entry>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let timerAt = Infinity;

  function take(id: string): Entry | undefined {
    const entry = entries.get(id);
    if (!entry) return undefined;
    entries.delete(id);
    entry.release?.();
    return entry;
  }

  function setTimer(at: number, time: number): void {
    clearTimeout(timer);
    timerAt = at;
    timer = setTimeout(expire, Math.max(0, at - time));
    // The connection keeps the process alive, not the watch over it.
    timer.unref?.();
  }

  function expire(): void {
    timerAt = Infinity;
    const time = now();
    let next = Infinity;
    for (const [id, entry] of entries) {
      if (entry.deadlineAt > time) next = Math.min(next, entry.deadlineAt);
      else take(id)?.reject(timedOut(entry));
    }
    // Rejecting runs no code of the caller before this turn ends, so nothing was added meanwhile.
    if (next !== Infinity) setTimer(next, time);
  }

  return {
    get size() {
      return entries.size;
    },
    add(id, request) {
      const time = now();
      const deadlineAt = time + request.timeoutMs;
      entries.set(id, { ...request, deadlineAt });
      if (deadlineAt < timerAt) setTimer(deadlineAt, time);
    },
    get: (id) => entries.get(id),
    take,
    failAll(error) {
      clearTimeout(timer);
      timerAt = Infinity;
      for (const id of [...entries.keys()]) take(id)?.reject(error);
    },
  };
}

function timedOut({ method, timeoutMs }: PendingRequest): GatewayError {
  return new GatewayError("REQUEST_TIMEOUT", `no answer to ${method} within ${timeoutMs} ms`, {
    hint: "The Gateway may still have acted on it; ask for the state before sending it again.",
  });
}
