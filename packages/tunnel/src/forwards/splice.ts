import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { cutOff, isCutOff } from "./cut-off.ts";

/** Unsent bytes at which a direction reads no further. */
export const DEFAULT_MAX_BUFFERED_BYTES = 256 * 1024;

export interface SpliceOptions {
  /**
   * Unsent bytes of one direction at which its source is read no further. Beside these, a direction
   * holds the one chunk that went over the limit, and what its source buffers by itself while
   * nobody reads it: two chunks of 64 KiB for a socket, its receive window for an SSH channel.
   * @default 256 KiB
   */
  readonly maxBufferedBytes?: number | undefined;
  /** Bytes that were read from the local socket before. */
  readonly head?: readonly Buffer[] | undefined;
}

/** How a splice came to its end. */
export type SpliceEnd =
  /** Both directions ended, each after its last byte. */
  | { readonly kind: "ended" }
  /** Cut off: by one of the two sides, or through {@link Splice.reset}. */
  | { readonly kind: "reset"; readonly by: SpliceSide; readonly cause: Error | undefined };

export type SpliceSide = "local" | "remote" | "owner";

/** Two streams that were made one. */
export interface Splice {
  /** Bytes from the far side. */
  readonly bytesIn: number;
  /** Bytes to the far side. */
  readonly bytesOut: number;
  /** Settles once, never rejects, when neither stream is open any more. */
  readonly closed: Promise<SpliceEnd>;
  /** Cuts both off now; what was not sent yet is dropped. */
  reset(): void;
}

/**
 * Joins a local socket and a stream to the far side. Both need `allowHalfOpen`.
 *
 * ```text
 *   one ends      ->  the other is ended too, behind its last byte; the way back goes on
 *   one is gone   ->  before its end: the other is cut off, lest a part look like the whole
 *                     after its end: the other is closed as soon as it has got everything
 * ```
 *
 * It has handlers of its own since `stream.pipeline` ends both ways with the first, and since a
 * handful of listeners is set up sooner.
 */
export function splice(
  local: Socket,
  remote: Duplex,
  { maxBufferedBytes = DEFAULT_MAX_BUFFERED_BYTES, head = [] }: SpliceOptions = {},
): Splice {
  const { promise: closed, resolve } = Promise.withResolvers<SpliceEnd>();
  let bytesIn = 0;
  let bytesOut = 0;
  let hasLocalEnded = false;
  let hasRemoteEnded = false;
  let isLocalGone = false;
  let isRemoteGone = false;
  let cause: Error | undefined;
  let cutBy: SpliceSide | undefined;

  function sendOut(chunk: Buffer): void {
    bytesOut += chunk.length;
    if (remote.writableLength + chunk.length < maxBufferedBytes) {
      remote.write(chunk);
      return;
    }
    local.pause();
    remote.write(chunk, readLocal);
  }

  function sendIn(chunk: Buffer): void {
    bytesIn += chunk.length;
    if (local.writableLength + chunk.length < maxBufferedBytes) {
      local.write(chunk);
      return;
    }
    remote.pause();
    local.write(chunk, readRemote);
  }

  function readLocal(error?: Error | null): void {
    if (!error) local.resume();
  }

  function readRemote(error?: Error | null): void {
    if (!error) remote.resume();
  }

  function localEnded(): void {
    hasLocalEnded = true;
    remote.end();
  }

  function remoteEnded(): void {
    if (isCutOff(remote)) {
      remoteGone();
      return;
    }
    hasRemoteEnded = true;
    local.end();
  }

  function failed(error: Error): void {
    cause ??= error;
  }

  function localGone(): void {
    if (isLocalGone) return;
    isLocalGone = true;
    if (!hasLocalEnded || !hasRemoteEnded) cutBy ??= "local";
    if (!isRemoteGone) {
      discard(remote, sendIn);
      if (!hasLocalEnded) dropRemote(cutOff);
      else if (remote.writableFinished) dropRemote(destroy);
      else remote.once("finish", () => dropRemote(destroy));
    }
    settle();
  }

  function remoteGone(): void {
    if (isRemoteGone) return;
    isRemoteGone = true;
    if (!hasLocalEnded || !hasRemoteEnded) cutBy ??= "remote";
    if (!isLocalGone) {
      discard(local, sendOut);
      if (hasRemoteEnded) local.destroySoon();
      else cutOff(local);
    }
    settle();
  }

  /** Not waited for: a channel of ssh2 closes only when the far side has answered. */
  function dropRemote(how: (stream: Duplex) => void): void {
    if (isRemoteGone) return;
    isRemoteGone = true;
    how(remote);
    settle();
  }

  function reset(): void {
    if (!isLocalGone || !isRemoteGone) cutBy ??= "owner";
    discard(remote, sendIn);
    cutOff(local);
    dropRemote(cutOff);
  }

  function settle(): void {
    if (!isLocalGone || !isRemoteGone) return;
    resolve(cutBy === undefined ? { kind: "ended" } : { kind: "reset", by: cutBy, cause });
  }

  local.on("data", sendOut).on("end", localEnded).on("error", failed).on("close", localGone);
  remote.on("data", sendIn).on("end", remoteEnded).on("error", failed).on("close", remoteGone);
  for (const chunk of head) {
    bytesOut += chunk.length;
    remote.write(chunk);
  }
  local.resume();
  if (local.readableEnded) localEnded();
  // Their events have passed.
  if (local.destroyed) localGone();
  if (remote.destroyed) remoteGone();

  return {
    get bytesIn() {
      return bytesIn;
    },
    get bytesOut() {
      return bytesOut;
    },
    closed,
    reset,
  };
}

function destroy(stream: Duplex): void {
  stream.destroy();
}

/** Nobody takes what still comes, but only a stream that is read comes to its end and closes. */
function discard(stream: Duplex, listener: (chunk: Buffer) => void): void {
  stream.off("data", listener);
  stream.resume();
}
