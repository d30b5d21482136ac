import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/**
 * Ends a stream so that its other side cannot take it for complete: a TCP socket with RST, anything
 * else as its class does it. What was not sent yet is dropped.
 */
export function cutOff(stream: Duplex): void {
  if (stream.destroyed) return;
  if (isTcpSocket(stream) && !isShuttingDown(stream)) stream.resetAndDestroy();
  else stream.destroy();
}

/**
 * Whether an ended stream ended because its connection was lost. Only ssh2's own channel needs the
 * question: it tells its reader of a loss as of any other end. But its two halves agree that the
 * channel is closed only where both sides have said so.
 */
export function isCutOff(stream: Duplex): boolean {
  const { incoming, outgoing } = stream as ChannelHalves;
  return incoming?.state === "closed" && outgoing?.state !== "closed";
}

interface ChannelHalves {
  readonly incoming?: { readonly state?: string };
  readonly outgoing?: { readonly state?: string };
}

/** A Unix socket is a `Socket` too, but it has no address and cannot be reset. */
function isTcpSocket(stream: Duplex): stream is Socket {
  return (
    "resetAndDestroy" in stream && "localAddress" in stream && stream.localAddress !== undefined
  );
}

/** Its FIN is on the way: too late for a reset, which the system would refuse. */
function isShuttingDown({ writableEnded, writableFinished, writableLength }: Duplex): boolean {
  return writableEnded && !writableFinished && writableLength === 0;
}
