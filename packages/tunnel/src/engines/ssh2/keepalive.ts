/** The clock of a {@link watchLiveness}; what can be injected can be tested. */
export interface LivenessOptions {
  readonly intervalMs: number;
  readonly countMax: number;
  /** Bytes received so far: any of them is a sign of life. */
  readonly bytesReceived: () => number;
  /** Bytes that wait to be sent; while they become fewer, the far side takes them. */
  readonly bytesUnsent: () => number;
  /** Asks for a sign of life. */
  readonly ask: () => void;
  readonly dead: () => void;
}

/** Watches a connection until `stop()`. */
export interface Liveness {
  /** Asks now; resolves at the next sign of life, rejects after `timeoutMs` without one. */
  probe(timeoutMs: number): Promise<void>;
  stop(): void;
}

/**
 * Asks after silence, and calls `dead` within `intervalMs` × `countMax` of the last sign of life: that
 * time is cut into `countMax` + 1 parts, one of silence and one for each unanswered question. A link
 * that still moves, in either direction, is alive however slow it is.
 */
export function watchLiveness(options: LivenessOptions): Liveness {
  const { intervalMs, countMax, bytesReceived, bytesUnsent, ask, dead } = options;
  const partMs = (intervalMs * countMax) / (countMax + 1);
  const probes = new Set<() => void>();
  let received = bytesReceived();
  let unsent = bytesUnsent();
  let unanswered = 0;
  let isStopped = false;
  const timer = intervalMs > 0 && countMax > 0 ? setInterval(look, partMs) : undefined;
  timer?.unref();

  function look(): void {
    const nowReceived = bytesReceived();
    const nowUnsent = bytesUnsent();
    const isAlive = nowReceived !== received || nowUnsent < unsent;
    received = nowReceived;
    unsent = nowUnsent;
    if (isAlive) {
      unanswered = 0;
      return;
    }
    unanswered += 1;
    if (unanswered > countMax) {
      stop();
      dead();
      return;
    }
    ask();
    // What was just asked must not look like a backlog that the far side takes.
    unsent = bytesUnsent();
  }

  function stop(): void {
    isStopped = true;
    clearInterval(timer);
    for (const end of probes) end();
    probes.clear();
  }

  return {
    probe: (timeoutMs) =>
      new Promise<void>((resolve, reject) => {
        if (isStopped) return reject(new Error("the connection is closed"));
        const before = bytesReceived();
        ask();
        const everyMs = Math.min(25, timeoutMs);
        let waitedMs = 0;
        // No event of ssh2 says that something arrived; a look every few milliseconds is cheap. Time
        // in which this program itself stood still does not count: the answer may have come.
        const watch = setInterval(() => {
          waitedMs += everyMs;
          if (bytesReceived() !== before) finish(resolve);
          else if (waitedMs >= timeoutMs) finish(() => reject(noAnswer(timeoutMs)));
        }, everyMs);
        const end = (): void => finish(() => reject(new Error("the connection is closed")));
        const finish = (settle: () => void): void => {
          clearInterval(watch);
          probes.delete(end);
          settle();
        };
        probes.add(end);
      }),
    stop,
  };
}

function noAnswer(timeoutMs: number): Error {
  return new Error(`no sign of life within ${timeoutMs} ms`);
}
