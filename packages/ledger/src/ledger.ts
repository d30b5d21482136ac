/** A value that survives `JSON.stringify` and `JSON.parse` unchanged. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

/** A JSON object; members that are `undefined` are left out of the journal. */
export interface JsonObject {
  readonly [name: string]: JsonValue | undefined;
}

/**
 * - `open`: work with this key has begun, or is about to; its outcome is not recorded.
 * - `finished`: the outcome is recorded durably.
 */
export type LedgerStage = "open" | "finished";

/** What the ledger knows of one key. A snapshot by reference: read it, do not keep it. */
export interface LedgerEntry {
  readonly key: string;
  /** Digest of the request, so that the same key with another body can be told apart. */
  readonly fingerprint: string;
  readonly stage: LedgerStage;
  readonly openedAtMs: number;
  readonly finishedAtMs?: number | undefined;
  /** Small facts about the work, such as the node and the command. */
  readonly meta: JsonObject;
}

export interface LedgerRecord {
  readonly key: string;
  readonly fingerprint: string;
  readonly meta: JsonObject;
  /** Begin again with a key that is already known; its former record is replaced. @default false */
  readonly reopen?: boolean;
}

/** What a committed record survives. */
export type LedgerDurability = "none" | "process" | "power";

/** Runs once, when the record is durable or cannot be made durable. Never runs inside the call. */
export type Committed = (error?: Error) => void;

export interface LedgerStats {
  /** Keys known, open and finished. */
  readonly entries: number;
  readonly open: number;
  /** Bytes of all segments on disk; for a ledger in memory, characters of all outcomes. */
  readonly journalBytes: number;
  /** When the oldest known key was opened; absent when there is none. */
  readonly oldestAtMs?: number | undefined;
}

/**
 * The durable memory of what was begun and how it ended, keyed by idempotency key.
 *
 * ```text
 *   (unknown) --open--> open --finish--> finished --retention--> (unknown)
 *       ^                 |  \______________ open, reopen: true ____/
 *       '-----forget------'
 * ```
 *
 * `open` is visible to {@link Ledger.get} at once, so that a second request with the same key finds
 * it; `finished` is visible only when it is durable, so that no outcome is handed out that a crash
 * could take back. Callbacks run in the order of their calls.
 */
export interface Ledger extends AsyncDisposable {
  /** The entry of a key, from memory. */
  get(key: string): LedgerEntry | undefined;
  /**
   * Records that work with this key begins. Start the side effect in `committed`, not before.
   * Fails with `KEY_EXISTS` if the key is known and `reopen` is not set, with `IO` if it cannot be
   * written (then the key is as if `open` had not been called), with `CLOSED` after `close()`.
   */
  open(record: LedgerRecord, committed: Committed): void;
  /**
   * Records the outcome of an open key as opaque text. Acknowledge it in `committed`, not before.
   * Fails with `NOT_OPEN` if the key is unknown, finished or being finished, with `IO` (the key
   * then stays open and `finish` may be tried again), with `CLOSED`.
   */
  finish(key: string, outcome: string, committed: Committed): void;
  /** Removes a key, e.g. one that is proven never to have been sent. Unknown keys are ignored. */
  forget(key: string, committed?: Committed): void;
  /**
   * The outcome of a finished key: from memory if recent, else read from disk.
   *
   * @throws LedgerError `CORRUPT` if the record no longer matches its checksum, `IO` if it cannot
   * be read.
   */
  outcome(key: string): string | undefined;
  /** Every open entry, oldest first. */
  openEntries(): Iterable<LedgerEntry>;
  readonly stats: LedgerStats;
  /** What committed records survive: nothing, the death of the process, or the loss of power. */
  readonly durability: LedgerDurability;
  /** Writes what is pending, runs its callbacks and releases the directory. May be called twice. */
  close(): Promise<void>;
}
