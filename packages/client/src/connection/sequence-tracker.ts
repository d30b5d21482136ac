import type { SequenceGap } from "../client-state.ts";

/**
 * Watches the sequence numbers of one connection. From protocol 4 on a connection counts its own
 * events from 1; before, the Gateway counted for all, so only the step after the first is known.
 */
export function createSequenceTracker(
  protocol: number,
): (seq: number | undefined) => SequenceGap | undefined {
  let expected = protocol >= 4 ? 1 : undefined;
  return (seq) => {
    if (seq === undefined) return undefined;
    const awaited = expected;
    expected = seq + 1;
    return awaited === undefined || seq <= awaited
      ? undefined
      : { expected: awaited, received: seq };
  };
}
