import type { Committed } from "./ledger.ts";

/** Runs a callback of a caller; what it throws is not the ledger's and must not stop the others. */
export function runCommitted(committed: Committed, error: Error | undefined): void {
  try {
    committed(error);
  } catch (thrown) {
    queueMicrotask(() => {
      throw thrown;
    });
  }
}
