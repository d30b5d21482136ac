import { createFinishOrder } from "./finish-order.ts";
import type { JsonObject, LedgerEntry, LedgerStage } from "./ledger.ts";

/** A file of the journal, and how many known keys live in it. */
export interface Segment {
  readonly number: number;
  readonly path: string;
  sizeBytes: number;
  liveOpen: number;
  liveFinished: number;
  /** Bytes of the lines that they live in. */
  liveBytes: number;
}

/** A known key and the line of the journal that it lives in. */
export interface IndexEntry extends LedgerEntry {
  stage: LedgerStage;
  finishedAtMs: number | undefined;
  /** The members that the lines of this key share; only while it is open. */
  head: string | undefined;
  /** Set while `finish` waits to be written. */
  isFinishing: boolean;
  /** Absent until the line is written. */
  segment: Segment | undefined;
  offset: number;
  length: number;
  /** The outcome, while it is recent. */
  recentOutcome: string | undefined;
}

export function createIndexEntry(
  key: string,
  fingerprint: string,
  openedAtMs: number,
  meta: JsonObject,
): IndexEntry {
  return {
    key,
    fingerprint,
    stage: "open",
    openedAtMs,
    finishedAtMs: undefined,
    meta,
    head: undefined,
    isFinishing: false,
    segment: undefined,
    offset: 0,
    length: 0,
    recentOutcome: undefined,
  };
}

/** The known keys. */
export interface LedgerIndex {
  /** In the order of their opening. */
  readonly open: ReadonlyMap<string, IndexEntry>;
  readonly finished: ReadonlyMap<string, IndexEntry>;
  /** The finished entry that is the first to go: the one that comes first in the journal. */
  oldestFinished(): IndexEntry | undefined;
  get(key: string): IndexEntry | undefined;
  /** Adds an entry at the end of the map of its stage. */
  add(entry: IndexEntry): void;
  /** Takes an entry out, unless another one has its key by now. */
  remove(entry: IndexEntry): void;
  /** Notes the line that an entry lives in from now on. */
  place(entry: IndexEntry, segment: Segment, offset: number, length: number): void;
  /** Turns an open entry into a finished one. */
  finish(entry: IndexEntry, finishedAtMs: number): void;
}

export function createLedgerIndex(): LedgerIndex {
  const open = new Map<string, IndexEntry>();
  const finished = new Map<string, IndexEntry>();
  const order = createFinishOrder<IndexEntry>((entry) => finished.get(entry.key) === entry);

  const addFinished = (entry: IndexEntry): void => {
    finished.set(entry.key, entry);
    order.push(entry);
  };

  const count = (entry: IndexEntry, step: 1 | -1): void => {
    if (entry.segment === undefined) return;
    entry.segment.liveBytes += step * entry.length;
    if (entry.stage === "open") entry.segment.liveOpen += step;
    else entry.segment.liveFinished += step;
  };

  return {
    open,
    finished,
    get: (key) => open.get(key) ?? finished.get(key),
    oldestFinished: order.oldest,
    add(entry) {
      if (entry.stage === "open") open.set(entry.key, entry);
      else addFinished(entry);
      count(entry, 1);
    },
    remove(entry) {
      const map = entry.stage === "open" ? open : finished;
      if (map.get(entry.key) !== entry) return;
      map.delete(entry.key);
      count(entry, -1);
    },
    place(entry, segment, offset, length) {
      count(entry, -1);
      entry.segment = segment;
      entry.offset = offset;
      entry.length = length;
      count(entry, 1);
    },
    finish(entry, finishedAtMs) {
      open.delete(entry.key);
      count(entry, -1);
      entry.stage = "finished";
      entry.finishedAtMs = finishedAtMs;
      entry.head = undefined;
      entry.isFinishing = false;
      addFinished(entry);
      count(entry, 1);
    },
  };
}
