import type { Socket } from "node:net";

/**
 * Read from a client before its way stands. Something has to be read, or its leaving goes unseen; the
 * last read may go 64 KiB over.
 */
const MAX_HEAD_BYTES = 16 * 1024;
/**
 * A client that has left looks like one that has only said everything: both send a FIN. Opening a
 * channel takes a round trip or two, so this long it counts as the latter.
 */
const ENDED_CLIENT_WAIT_MS = 3_000;

/** A local connection whose way to the far side does not stand yet. */
export interface HeldClient {
  /** Hands over what was read, and takes no notice of the client any more. */
  release(): Buffer[];
}

/** Reads ahead a little, and calls `onLeft` once when the client is gone. */
export function holdClient(local: Socket, onLeft: () => void): HeldClient {
  const head: Buffer[] = [];
  let headBytes = 0;
  let timer: NodeJS.Timeout | undefined;

  function read(chunk: Buffer): void {
    head.push(chunk);
    headBytes += chunk.length;
    if (headBytes >= MAX_HEAD_BYTES) local.pause();
  }

  function ended(): void {
    timer = setTimeout(left, ENDED_CLIENT_WAIT_MS);
  }

  function left(): void {
    release();
    onLeft();
  }

  function release(): Buffer[] {
    clearTimeout(timer);
    local.off("data", read).off("end", ended).off("close", left);
    return head;
  }

  local.on("data", read).on("end", ended).on("close", left);
  return { release };
}
