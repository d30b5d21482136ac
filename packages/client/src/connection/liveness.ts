import type { Transport } from "../transport/transport.ts";

/** Silence is measured in samples, so that a stalled process of ours never looks like a dead peer. */
const SAMPLES_PER_INTERVAL = 5;
/** Growth up to this may be a ping or a pong alone; more is a frame on its way. */
const CONTROL_FRAME_BYTES = 127;
/** Slowest line that is still waited for while our own bytes are before the ping. */
const SLOWEST_BYTES_PER_MS = 32;
/** What the systems on the way may hold; a line slower than this times the rate is given up. */
const MAX_BYTES_ON_THE_WAY = 8 * 1024 * 1024;

export interface LivenessOptions {
  /** Silence before a ping, and again until the peer counts as dead; `undefined` sends no pings. */
  intervalMs: number | undefined;
  /** The peer promised a frame this often. */
  tickIntervalMs: number;
  /** Nothing at all came back. Called once. */
  onSilent(): void;
  /** Bytes or pongs may come, but no frames. Called once. */
  onTickTimeout(): void;
}

export interface Liveness {
  /** A whole frame has arrived. */
  frameSeen(): void;
  stop(): void;
}

/**
 * Watches one connection by its progress. Any received byte is life, and so is an outbound queue
 * that keeps moving; a ping waits behind what was written before it, so silence after a large
 * upload is given the time that a slow line needs to carry it.
 *
 * The peer is in the same place while it sends to us: its pings queue behind its own bytes. So a
 * side that only receives pings too; that ping travels the way that is free.
 */
export function watchLiveness(transport: Transport, options: LivenessOptions): Liveness {
  const { intervalMs, tickIntervalMs } = options;
  const sampleMs = Math.max(
    1,
    Math.min(intervalMs ?? Infinity, tickIntervalMs) / SAMPLES_PER_INTERVAL,
  );
  const silenceSamples = Math.ceil((intervalMs ?? Infinity) / sampleMs);
  let frames = 0;
  let seenFrames = 0;
  let bytesRead = transport.bytesRead;
  let bytesWritten = transport.bytesWritten;
  let unconfirmedBytes = 0;
  let silent = 0;
  let unsent = 0;
  let frameless = 0;

  function sample(): void {
    const read = transport.bytesRead - bytesRead;
    const wrote = transport.bytesWritten - bytesWritten;
    bytesRead += read;
    bytesWritten += wrote;
    frameless = frames > seenFrames || read > CONTROL_FRAME_BYTES ? 0 : frameless + 1;
    if (read > 0 || frames > seenFrames) {
      silent = 0;
      unconfirmedBytes = 0;
    } else {
      unconfirmedBytes += wrote;
      silent = wrote > 0 && transport.bufferedBytes > 0 ? 0 : silent + 1;
    }
    seenFrames = frames;
    if (frameless * sampleMs >= 2 * tickIntervalMs) return end(options.onTickTimeout);
    unsent = wrote > 0 ? 0 : unsent + 1;
    if (silent === silenceSamples || unsent === silenceSamples) {
      transport.ping();
      unsent = 0;
    }
    const patienceMs = Math.min(unconfirmedBytes, MAX_BYTES_ON_THE_WAY) / SLOWEST_BYTES_PER_MS;
    if (silent >= 2 * silenceSamples + Math.floor(patienceMs / sampleMs)) end(options.onSilent);
  }

  const timer = setInterval(sample, sampleMs);
  timer.unref?.();

  function end(report: () => void): void {
    clearInterval(timer);
    report();
  }

  return {
    frameSeen: () => void frames++,
    stop: () => clearInterval(timer),
  };
}
