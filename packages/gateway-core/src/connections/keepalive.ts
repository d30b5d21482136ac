import type { PeerSocket } from "./peer-socket.ts";

/** Sweeps in one interval: the finer, the closer to exactly two heartbeats a dead peer is noticed. */
const SWEEPS_PER_INTERVAL = 10;
/** What may lie in the kernels' buffers of an ordinary link without making a pong late. */
const UNCONFIRMED_ALLOWANCE_BYTES = 262_144;
/** The slowest link that we wait for: 1 Mbit/s. What was sent since the peer was last heard needs that long. */
const SLOWEST_LINK_BYTES_PER_MS = 125;

interface Pulse {
  socket: PeerSocket;
  read: number;
  flushed: number;
  /** What had been written when the peer was last heard. */
  writtenWhenHeard: number;
  movedAt: number;
  pingedAt: number;
}

/**
 * Notices dead peers. Any byte that arrives or leaves is life; a silent peer is pinged after one
 * interval and gone after two. A slow link that still moves is never cut: progress counts, and a
 * ping that waits behind a large transfer is given the time the transfer needs.
 */
export interface Keepalive {
  /** Watches a socket; returns what ends the watch. */
  watch(socket: PeerSocket): () => void;
  stop(): void;
}

/**
 * One timer for all sockets. `onDead` is called once for a socket that has failed to answer; it
 * should terminate it.
 */
export function createKeepalive(options: {
  intervalMs: number;
  now: () => number;
  onDead: (socket: PeerSocket) => void;
}): Keepalive {
  const { now, onDead } = options;
  const sweepMs = Math.max(1, Math.floor(options.intervalMs / SWEEPS_PER_INTERVAL));
  // A step early, so that the sweep in which it is noticed still lies within the interval.
  const patienceMs = options.intervalMs - sweepMs;
  const pulses = new Set<Pulse>();
  let sweptAt = now();

  const look = (pulse: Pulse, at: number, overslept: boolean): void => {
    const { socket } = pulse;
    const read = socket.bytesRead;
    const flushed = socket.bytesWritten - socket.bufferedBytes;
    if (read !== pulse.read || overslept) pulse.writtenWhenHeard = socket.bytesWritten;
    if (read !== pulse.read || flushed !== pulse.flushed || overslept) {
      pulse.read = read;
      pulse.flushed = flushed;
      pulse.movedAt = at;
      pulse.pingedAt = 0;
      return;
    }
    if (pulse.pingedAt === 0) {
      if (at - pulse.movedAt < patienceMs) return;
      pulse.pingedAt = at;
      socket.ping();
      // The ping's own bytes are not a sign of life.
      pulse.flushed = socket.bytesWritten - socket.bufferedBytes;
      return;
    }
    const unconfirmed = socket.bytesWritten - pulse.writtenWhenHeard - UNCONFIRMED_ALLOWANCE_BYTES;
    const transferMs = Math.max(0, unconfirmed) / SLOWEST_LINK_BYTES_PER_MS;
    if (at - pulse.pingedAt < patienceMs + transferMs) return;
    pulses.delete(pulse);
    onDead(socket);
  };

  const timer = setInterval(() => {
    const at = now();
    // If this process slept, it was not the peers: they get their chance to be heard first.
    const overslept = at - sweptAt > options.intervalMs;
    sweptAt = at;
    for (const pulse of pulses) look(pulse, at, overslept);
  }, sweepMs);
  timer.unref();

  return {
    watch(socket) {
      const pulse: Pulse = {
        socket,
        read: socket.bytesRead,
        flushed: socket.bytesWritten - socket.bufferedBytes,
        writtenWhenHeard: socket.bytesWritten,
        movedAt: now(),
        pingedAt: 0,
      };
      pulses.add(pulse);
      return () => pulses.delete(pulse);
    },
    stop() {
      clearInterval(timer);
      pulses.clear();
    },
  };
}
