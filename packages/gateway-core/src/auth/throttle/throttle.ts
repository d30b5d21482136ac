import { LOOPBACK_NETWORK, networkOf } from "./network-of.ts";
import { pauseMs } from "./pause.ts";
import { type ThrottleOptions, resolveThrottleOptions } from "./throttle-options.ts";

/** What was guessed at. Each has a count of its own, so that one never pauses another. */
export type SecretKind = "shared-secret" | "bootstrap-token";

/** Who tries a secret. */
export interface Claimant {
  /** The address that the peer comes from, behind a trusted proxy the one that the proxy names. */
  address: string | undefined;
  /** Who it says it is: a device id whose key it has proven, otherwise what its program calls itself. */
  identity: string;
  /**
   * It has proven the key of a paired device. Then it is slowed by its own failures alone: those of
   * others behind the same address, and the ceiling for all, do not concern it.
   */
  isPaired: boolean;
}

/**
 * Slows down whoever tries wrong secrets. A pause grows with each failure and is never a ban: a try
 * within it is not looked at and does not make it longer. All is kept in memory.
 */
export interface Throttle {
  /** Milliseconds until a secret of this claimant may be looked at; 0 when it may be now. */
  waitMs(claimant: Claimant, kind: SecretKind): number;
  failed(claimant: Claimant, kind: SecretKind): void;
  /** The secret was right: what this claimant did wrong before is forgotten. */
  succeeded(claimant: Claimant, kind: SecretKind): void;
  /**
   * Counts a handshake that begins. Answers milliseconds until another is welcome when its network
   * has sent wrong secrets and now floods; 0 otherwise, and for this machine.
   */
  floodMs(address: string | undefined): number;
  /** Changes options while it runs; what is not named stays. */
  configure(options: Partial<ThrottleOptions>): void;
  /** Identities and networks remembered now. */
  readonly size: number;
}

interface Entry {
  failures: number;
  /** No try is looked at before. */
  openAt: number;
  /** When the last failure happened. */
  failedAt: number;
  /** Handshakes that a network began within the second from `secondAt` on. */
  secondAt: number;
  begun: number;
}

/** A network is looked at as a whole only after so many times the failures that one identity has. */
const NETWORK_GRACE = 2;
/** Of the guesses of a second, this part is kept for identities that have not failed lately. */
const RESERVED_SHARE = 0.4;
const SECOND_MS = 1_000;

export function createThrottle(
  initial: Partial<ThrottleOptions>,
  { now }: { now: () => number },
): Throttle {
  let options = resolveThrottleOptions(initial);
  // The order of a Map is that of insertion; an entry that is written anew moves to its end.
  const entries = new Map<string, Entry>();
  /** When the latest wrong secrets were looked at, oldest first; at most as many as a second allows. */
  let guesses: number[] = [];

  const identityKey = ({ address, identity, isPaired }: Claimant, kind: SecretKind): string =>
    isPaired ? `paired ${kind} ${identity}` : `${kind} ${networkOf(address)} ${identity}`;
  const networkKey = (network: string): string => `network ${network}`;

  /** A clock that was set back has not seen the failure yet; its pause begins anew, and is no longer for it. */
  function heedClock(entry: Entry): void {
    const aheadMs = entry.failedAt - now();
    if (aheadMs <= 0) return;
    entry.failedAt -= aheadMs;
    entry.openAt -= aheadMs;
  }

  /** A failure is remembered for as long as it pauses, and for the window after that. */
  function live(key: string): Entry | undefined {
    const entry = entries.get(key);
    if (!entry) return undefined;
    heedClock(entry);
    const until = Math.max(entry.openAt, entry.failedAt) + options.windowMs;
    if (now() <= until) return entry;
    entries.delete(key);
    return undefined;
  }

  function store(key: string, entry: Entry): void {
    entries.delete(key);
    entries.set(key, entry);
    while (entries.size > options.maxEntries) {
      const [oldest] = entries.keys();
      if (oldest === undefined) return;
      entries.delete(oldest);
    }
  }

  function count(key: string, pause: (failures: number) => number): void {
    const at = now();
    const former = live(key);
    const failures = (former?.failures ?? 0) + 1;
    const { secondAt = at, begun = 0 } = former ?? {};
    store(key, { failures, openAt: at + pause(failures), failedAt: at, secondAt, begun });
  }

  /**
   * Until when the ceiling for all lets nobody guess. Whoever has failed lately meets it earlier, and
   * other machines leave one guess to this one: strangers can take as many names as they like.
   */
  function ceilingMs(hasFailed: boolean, isOnThisMachine: boolean): number {
    const at = now();
    guesses = guesses.filter((time) => at - time < SECOND_MS && time <= at);
    const most = options.maxGuessesPerSecond;
    const forFresh = isOnThisMachine ? most : most - 1;
    const forFailed = Math.floor(most * (1 - RESERVED_SHARE));
    const allowed = Math.max(1, hasFailed ? Math.min(forFailed, forFresh) : forFresh);
    const blocking = guesses[guesses.length - allowed];
    return blocking === undefined ? 0 : Math.max(1, blocking + SECOND_MS - at);
  }

  return {
    waitMs(claimant, kind) {
      const at = now();
      const own = live(identityKey(claimant, kind));
      const ownMs = Math.max(0, (own?.openAt ?? 0) - at);
      if (claimant.isPaired) return ownMs;
      const networkName = networkOf(claimant.address);
      const network = live(networkKey(networkName));
      const networkMs = Math.max(0, (network?.openAt ?? 0) - at);
      const isOnThisMachine = networkName === LOOPBACK_NETWORK;
      return Math.max(ownMs, networkMs, ceilingMs(own !== undefined, isOnThisMachine));
    },
    failed(claimant, kind) {
      const network = networkOf(claimant.address);
      const isExempt = network === LOOPBACK_NETWORK && options.exemptLoopback;
      count(identityKey(claimant, kind), (failures) => pauseMs(failures, { ...options, isExempt }));
      if (claimant.isPaired) return;
      guesses.push(now());
      const grace = options.maxAttempts * NETWORK_GRACE;
      // Others may sit behind the same address, so it is slowed and never shut.
      count(networkKey(network), (failures) =>
        failures <= grace ? 0 : pauseMs(failures - grace, { ...options, isExempt: true }),
      );
    },
    succeeded(claimant, kind) {
      entries.delete(identityKey(claimant, kind));
    },
    floodMs(address) {
      const network = networkOf(address);
      if (network === LOOPBACK_NETWORK && options.exemptLoopback) return 0;
      const entry = live(networkKey(network));
      if (!entry) return 0;
      const at = now();
      if (at - entry.secondAt >= SECOND_MS || at < entry.secondAt) {
        entry.secondAt = at;
        entry.begun = 0;
      }
      entry.begun += 1;
      return entry.begun > options.maxHandshakesPerSecond ? entry.secondAt + SECOND_MS - at : 0;
    },
    configure(changes) {
      options = resolveThrottleOptions(changes, options);
    },
    get size() {
      return entries.size;
    },
  };
}
