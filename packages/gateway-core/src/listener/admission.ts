import { LOOPBACK_NETWORK, networkOf } from "../auth/throttle/network-of.ts";

/** Who is told whether a socket may begin its handshake; one of the two, once. */
export interface AdmissionOutcome {
  admitted(): void;
  refused(): void;
}

/**
 * Counts the handshakes that are under way, for each address and in all. Whoever has one IPv6 address
 * has a whole network of them, so each such network counts as one address.
 */
export interface Admission {
  /**
   * Asks for a place. It is given at once where there is one. Where places of this address are given
   * back all the time, the socket waits a moment for one; otherwise, and then, it is refused. Returns
   * what gives up the wait.
   */
  enter(address: string | undefined, outcome: AdmissionOutcome): () => void;
  /** Gives back the place of a socket that was admitted. */
  leave(address: string | undefined): void;
}

export interface AdmissionOptions {
  /** Handshakes of one address at once. */
  maxPerAddress: number;
  /** Handshakes of all addresses at once, but for those of this machine. */
  maxTotal: number;
  /** How long a socket waits for a place. @default 100 */
  maxWaitMs?: number;
}

/** So many places given back within a second are a crowd that moves, worth waiting in. */
const MOVING_CROWD = 8;

/** Nothing to give up; made once, so that it holds on to nobody's request. */
const NOTHING = (): void => {};

interface Places {
  taken: number;
  /** When the latest were given back, oldest first. */
  leftAt: number[];
}

interface Waiting {
  key: string;
  outcome: AdmissionOutcome;
  timer: NodeJS.Timeout;
}

export function createAdmission(options: AdmissionOptions): Admission {
  const { maxPerAddress, maxTotal, maxWaitMs = 100 } = options;
  const places = new Map<string, Places>();
  const queue = new Set<Waiting>();
  let total = 0;

  // This machine is not among those who can fill the places of all: its operators still come in.
  const isCounted = (key: string): boolean => key !== LOOPBACK_NETWORK;
  const hasPlace = (key: string): boolean =>
    (total < maxTotal || !isCounted(key)) && (places.get(key)?.taken ?? 0) < maxPerAddress;

  const isMoving = (key: string): boolean => {
    const { leftAt = [] } = places.get(key) ?? {};
    const first = leftAt[leftAt.length - MOVING_CROWD];
    return first !== undefined && performance.now() - first < 1_000;
  };

  function take(key: string): void {
    const ofKey = places.get(key) ?? { taken: 0, leftAt: [] };
    ofKey.taken += 1;
    places.set(key, ofKey);
    if (isCounted(key)) total += 1;
  }

  function forget(waiting: Waiting): void {
    clearTimeout(waiting.timer);
    queue.delete(waiting);
  }

  function admitNext(): void {
    for (const waiting of queue) {
      if (!hasPlace(waiting.key)) continue;
      forget(waiting);
      take(waiting.key);
      waiting.outcome.admitted();
    }
  }

  return {
    enter(address, outcome) {
      const key = networkOf(address);
      if (hasPlace(key)) {
        take(key);
        outcome.admitted();
        return NOTHING;
      }
      // Those who wait are bounded as well: they hold a socket each.
      if (queue.size >= maxTotal || !isMoving(key)) {
        outcome.refused();
        return NOTHING;
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
      const key = networkOf(address);
      const ofKey = places.get(key);
      if (isCounted(key)) total -= 1;
      if (ofKey !== undefined) {
        ofKey.taken -= 1;
        ofKey.leftAt.push(performance.now());
        if (ofKey.leftAt.length > MOVING_CROWD) ofKey.leftAt.shift();
        if (ofKey.taken === 0) places.delete(key);
      }
      admitNext();
    },
  };
}
