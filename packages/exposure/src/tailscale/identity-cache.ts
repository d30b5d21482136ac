import type { TailnetIdentity } from "./tailnet-identity.ts";

/** Limits of {@link createIdentityCache}. */
export interface IdentityCacheLimits {
  /** How long an answer holds. @default 60_000 */
  hitMs: number;
  /** How long it holds that nobody is known there. @default 5_000 */
  missMs: number;
  /** So many addresses are remembered; the oldest go first. @default 1_000 */
  maxEntries: number;
  /** So many are asked for at the same time; the others wait. @default 4 */
  maxRunning: number;
  /** So many wait; who comes then is nobody known, and may ask again at once. @default 64 */
  maxWaiting: number;
}

export const defaultIdentityCacheLimits: IdentityCacheLimits = {
  hitMs: 60_000,
  missMs: 5_000,
  maxEntries: 1_000,
  maxRunning: 4,
  maxWaiting: 64,
};

/** Looks an address up; rejects never. */
export type IdentityLookup = (address: string) => Promise<TailnetIdentity | undefined>;

interface Entry {
  readonly identity: TailnetIdentity | undefined;
  readonly from: number;
  readonly until: number;
}

/** Remembers answers, asks once for an address however many want to know, and never asks too much at once. */
export function createIdentityCache(
  lookup: IdentityLookup,
  limits: IdentityCacheLimits,
  now: () => number,
): IdentityLookup {
  const entries = new Map<string, Entry>();
  const flights = new Map<string, Promise<TailnetIdentity | undefined>>();
  const waiting: (() => void)[] = [];
  let running = 0;

  async function fly(address: string): Promise<TailnetIdentity | undefined> {
    if (running >= limits.maxRunning) {
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
      });
    } else running += 1;
    try {
      const identity = await lookup(address);
      remember(address, identity);
      return identity;
    } finally {
      flights.delete(address);
      // Who waits takes over this one's place; only without anybody is it given back.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  }

  function remember(address: string, identity: TailnetIdentity | undefined): void {
    const from = now();
    entries.delete(address);
    entries.set(address, {
      identity,
      from,
      until: from + (identity === undefined ? limits.missMs : limits.hitMs),
    });
    for (const oldest of entries.keys()) {
      if (entries.size <= limits.maxEntries) break;
      entries.delete(oldest);
    }
  }

  return async (address) => {
    const entry = entries.get(address);
    const at = now();
    // An answer from the future is one from before the clock was set back, nobody knows how long.
    if (entry !== undefined && entry.from <= at && at < entry.until) return entry.identity;
    const present = flights.get(address);
    if (present !== undefined) return present;
    if (waiting.length >= limits.maxWaiting) return undefined;
    const flight = fly(address);
    flights.set(address, flight);
    return flight;
  };
}
