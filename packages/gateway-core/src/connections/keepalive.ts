import type { PeerSocket } from "./peer-socket.ts";

/** Sweeps in one interval: the finer, the closer to exactly two heartbeats a dead peer is noticed. */
const SWEEPS_PER_INTERVAL = 10;
/** What may lie in the kernels' buffers of an ordinary link without making a pong late. */
const UNCONFIRMED_ALLOWANCE_BYTES = 262_144;
/** The slowest link that we wait for: 1 Mbit/s. What was sent since the peer was last heard needs that long. */
const SLOWEST_LINK_BYTES_PER_MS = 125;
/** More than this the systems on the way do not hold; the rest has arrived, or never left us. */
const MAX_BYTES_ON_THE_WAY = 8 * 1024 * 1024;

interface Pulse {
  socket: PeerSocket;
  read: number;
  flushed: number;
  /** What had left this process when the peer was last heard. */
  flushedWhenHeard: number;
  movedAt: number;
  pingedAt: number;
  /** What had been written when it was last looked at, and when that last grew. */
  written: number;
  sentAt: number;
}

/**
 * Notices dead peers. Any byte that arrives or leaves is life; a silent peer is pinged after one
 * interval and gone after two. A slow link that still moves is never cut: progress counts, and a
 * ping that waits behind a large transfer is given the time the transfer needs.
 *
 * A peer that sends to us over such a link is in the same place: its pings wait behind its own
 * bytes. So a peer we have sent nothing for an interval is pinged too, whatever arrives from it.
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
    if (socket.bytesWritten !== pulse.written) {
      pulse.written = socket.bytesWritten;
      pulse.sentAt = at;
    }
    if (read !== pulse.read || overslept) pulse.flushedWhenHeard = flushed;
    if (read !== pulse.read || flushed !== pulse.flushed || overslept) {
      pulse.read = read;
      pulse.flushed = flushed;
      pulse.movedAt = at;
      pulse.pingedAt = 0;
      if (at - pulse.sentAt >= patienceMs) ping(pulse);
      return;
    }
    if (pulse.pingedAt === 0) {
      if (at - pulse.movedAt < patienceMs) return;
      pulse.pingedAt = at;
      ping(pulse);
      return;
    }
    const onTheWay = Math.min(flushed - pulse.flushedWhenHeard, MAX_BYTES_ON_THE_WAY);
    const transferMs =
      Math.max(0, onTheWay - UNCONFIRMED_ALLOWANCE_BYTES) / SLOWEST_LINK_BYTES_PER_MS;
    if (at - pulse.pingedAt < patienceMs + transferMs) return;
    pulses.delete(pulse);
    onDead(socket);
  };

  const ping = (pulse: Pulse): void => {
    const { socket } = pulse;
    socket.ping();
    // The ping's own bytes are not a sign of life.
    pulse.flushed = socket.bytesWritten - socket.bufferedBytes;
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
        flushedWhenHeard: socket.bytesWritten - socket.bufferedBytes,
        movedAt: now(),
        pingedAt: 0,
        written: socket.bytesWritten,
        sentAt: now(),
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
