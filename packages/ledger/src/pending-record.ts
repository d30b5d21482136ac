import type { LedgerError } from "./errors.ts";
import type { IndexEntry } from "./ledger-index.ts";
import type { Committed } from "./ledger.ts";

/** One call that waits for its line to be written. */
export interface PendingRecord {
  kind: "open" | "finish" | "forget" | "carry" | "refuse";
  entry: IndexEntry | undefined;
  line: string;
  bytes: number;
  committed: Committed;
  outcome: string;
  finishedAtMs: number;
  /** The entry that `open` with `reopen` replaces, or that `forget` removes. */
  former: IndexEntry | undefined;
  error: LedgerError | undefined;
}

export function pendingRecord(
  kind: PendingRecord["kind"],
  entry: IndexEntry | undefined,
  line: string,
  committed: Committed,
  more?: Partial<Pick<PendingRecord, "outcome" | "finishedAtMs" | "former" | "error">>,
): PendingRecord {
  return {
    kind,
    entry,
    line,
    bytes: Buffer.byteLength(line),
    committed,
    outcome: more?.outcome ?? "",
    finishedAtMs: more?.finishedAtMs ?? 0,
    former: more?.former,
    error: more?.error,
  };
}
