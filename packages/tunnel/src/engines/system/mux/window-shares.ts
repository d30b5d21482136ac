import { CHANNEL_WINDOW_BYTES, type WindowPolicy } from "../../ssh2/window-policy.ts";

/** What all channels in use have together where the far side is near. */
const BASE_BYTES = 512 * 1024;
/** On a longer way there is more under way: as much as a link of 500 Mbit/s holds. */
const LINK_BYTES_PER_MS = 64 * 1024;
/** However long the way is. */
const MAX_SHARED_BYTES = 16 * 1024 * 1024;
/** Two packets: one on its way while the other is read. */
const MIN_WINDOW_BYTES = 64 * 1024;
/** A new channel may never be read. */
const MAX_FIRST_WINDOW_BYTES = 256 * 1024;
/** Nobody's window grows while all of them, idle ones too, come to this. ssh fails at twice as much. */
const MAX_GRANTED_BYTES = 64 * 1024 * 1024;
/** A channel that nobody has read for so long wants no share. */
const IDLE_AFTER_MS = 1000;

/**
 * Shares one limit among the channels of a master. A master reads more in a turn than it passes on,
 * whether or not we keep up, and what waits it copies for every packet that makes it more than ever
 * before: with 40 MiB ahead of us it does nothing else, and beyond 128 MiB it throws data away. So
 * little is to be ahead of us; how much a link needs to be kept busy follows from the shortest round
 * trip so far, that of a channel being opened.
 */
export function createWindowShares(now: () => number = () => performance.now()): WindowPolicy {
  const askedAt = new Map<number, number>();
  const granted = new Map<number, number>();
  /** When each channel was used last, in that order. */
  const usedAt = new Map<number, number>();
  let grantedBytes = 0;
  let roundTripMs: number | undefined;

  function share(channel: number): number {
    const time = now();
    usedAt.delete(channel);
    usedAt.set(channel, time);
    for (const [other, at] of usedAt) {
      if (time - at < IDLE_AFTER_MS) break;
      usedAt.delete(other);
    }
    const all = Math.min(BASE_BYTES + (roundTripMs ?? 0) * LINK_BYTES_PER_MS, MAX_SHARED_BYTES);
    const one = Math.floor(all / usedAt.size);
    return Math.min(Math.max(one, MIN_WINDOW_BYTES), CHANNEL_WINDOW_BYTES);
  }

  function grant(channel: number, bytes: number): number {
    grantedBytes += bytes - (granted.get(channel) ?? 0);
    granted.set(channel, bytes);
    return bytes;
  }

  return {
    begin(channel) {
      askedAt.set(channel, now());
      const isCrowded = grantedBytes >= MAX_GRANTED_BYTES;
      const most = isCrowded ? MIN_WINDOW_BYTES : MAX_FIRST_WINDOW_BYTES;
      return grant(channel, Math.min(share(channel), most));
    },
    confirmed(channel) {
      const at = askedAt.get(channel);
      if (at === undefined) return;
      askedAt.delete(channel);
      roundTripMs = Math.min(now() - at, roundTripMs ?? Number.POSITIVE_INFINITY);
    },
    resize(channel, windowBytes, readBytes) {
      const wanted = Math.max(share(channel), windowBytes - readBytes);
      const isCrowded = grantedBytes >= MAX_GRANTED_BYTES;
      return grant(channel, isCrowded ? Math.min(wanted, windowBytes) : wanted);
    },
    end(channel) {
      askedAt.delete(channel);
      usedAt.delete(channel);
      grantedBytes -= granted.get(channel) ?? 0;
      granted.delete(channel);
    },
  };
}
