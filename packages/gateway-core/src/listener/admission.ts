/** Who is told whether a socket may begin its handshake; one of the two, once. */
export interface AdmissionOutcome {
  admitted(): void;
  refused(): void;
}

/** Counts the handshakes that are under way, for each address and in all. */
export interface Admission {
  /**
   * Asks for a place. It is given at once where there is one. Otherwise the socket waits a moment,
   * since a handshake takes only milliseconds, and is then refused. Returns what gives up the wait.
   */
  enter(address: string | undefined, outcome: AdmissionOutcome): () => void;
  /** Gives back the place of a socket that was admitted. */
  leave(address: string | undefined): void;
}

export interface AdmissionOptions {
  /** Handshakes of one address at once. */
  maxPerAddress: number;
  /** Handshakes of all addresses at once. */
  maxTotal: number;
  /** How long a socket waits for a place. @default 250 */
  maxWaitMs?: number;
}

interface Waiting {
  key: string;
  outcome: AdmissionOutcome;
  timer: NodeJS.Timeout;
}

export function createAdmission(options: AdmissionOptions): Admission {
  const { maxPerAddress, maxTotal, maxWaitMs = 250 } = options;
  const places = new Map<string, number>();
  const queue = new Set<Waiting>();
  let total = 0;

  const hasPlace = (key: string): boolean =>
    total < maxTotal && (places.get(key) ?? 0) < maxPerAddress;

  function take(key: string): void {
    places.set(key, (places.get(key) ?? 0) + 1);
    total += 1;
  }

  function forget(waiting: Waiting): void {
    clearTimeout(waiting.timer);
    queue.delete(waiting);
  }

  function admitNext(): void {
    for (const waiting of queue) {
      if (total >= maxTotal) return;
      if (!hasPlace(waiting.key)) continue;
      forget(waiting);
      take(waiting.key);
      waiting.outcome.admitted();
    }
  }

  return {
    enter(address, outcome) {
      const key = address ?? "";
      if (hasPlace(key)) {
        take(key);
        outcome.admitted();
        return () => {};
      }
      // Those who wait are bounded as well: they hold a socket each.
      if (queue.size >= maxTotal) {
        outcome.refused();
        return () => {};
      }
      const timer = setTimeout(() => {
        forget(waiting);
        outcome.refused();
      }, maxWaitMs);
      const waiting: Waiting = { key, outcome, timer };
      queue.add(waiting);
      return () => forget(waiting);
    },
    leave(address) {
      const key = address ?? "";
      const count = (places.get(key) ?? 0) - 1;
      total -= 1;
      if (count > 0) places.set(key, count);
      else places.delete(key);
      admitNext();
    },
  };
}
