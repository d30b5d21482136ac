import { encodeEvent } from "@openclaw/protocol";
import type { Connection } from "../connections/connection.ts";
import type { Invocation } from "./invocation.ts";

/** Which chunk of live output comes next is not known. */
export const UNKNOWN_SEQ = -1;

/** Chunks that may arrive ahead of their turn before the missing one is given up. */
const MAX_HELD = 64;

/** Takes a chunk of live output and passes on, in order, whatever is complete. */
export function takeProgress(invocation: Invocation, seq: number, chunk: string): void {
  const held = (invocation.heldProgress ??= new Map());
  held.set(seq, chunk);
  // A chunk that never comes must not hold the others back for ever.
  if (!held.has(invocation.nextProgress) && held.size > MAX_HELD)
    invocation.nextProgress = Math.min(...held.keys());
  for (;;) {
    const next = held.get(invocation.nextProgress);
    if (next === undefined) break;
    held.delete(invocation.nextProgress);
    forwardProgress(invocation, invocation.nextProgress, next);
    invocation.nextProgress += 1;
  }
  if (held.size === 0) invocation.heldProgress = undefined;
}

function forwardProgress(invocation: Invocation, seq: number, chunk: string): void {
  const text = encodeEvent({
    event: "node.invoke.progress",
    payload: {
      idempotencyKey: invocation.key,
      invokeId: invocation.id,
      nodeId: invocation.nodeId,
      seq,
      chunk,
    },
  });
  // One operator may wait twice on the same key.
  const seen = new Set<Connection>();
  for (const { connection } of invocation.waiters) {
    if (!connection || seen.has(connection)) continue;
    seen.add(connection);
    // Live output may be missed, the outcome may not: who reads too slowly sees a gap in `seq`.
    if (connection.isSlow) connection.skippedEvents += 1;
    else connection.direct(text);
  }
}
