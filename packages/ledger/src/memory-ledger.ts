import { createFinishOrder } from "./finish-order.ts";
import { runCommitted } from "./commit-callbacks.ts";
import { keyExists, ledgerClosed, notOpen } from "./errors.ts";
import type { Committed, Ledger, LedgerEntry, LedgerRecord, LedgerStats } from "./ledger.ts";
import { resolveRetention, type RetentionOptions } from "./retention.ts";

export interface MemoryLedgerOptions extends RetentionOptions {
  /** The clock. @default Date.now */
  now?: () => number;
}

interface MemoryEntry {
  key: string;
  fingerprint: string;
  stage: "open" | "finished";
  openedAtMs: number;
  finishedAtMs?: number;
  meta: LedgerRecord["meta"];
  outcome?: string;
  finishing?: boolean;
}

/**
 * A ledger that forgets everything with its process: for tests, and for owners that accept to run a
 * key twice after a crash. It behaves as the one on disk does, callbacks included.
 */
export function createMemoryLedger(options: MemoryLedgerOptions = {}): Ledger {
  const retention = resolveRetention(options);
  const now = options.now ?? Date.now;
  const open = new Map<string, MemoryEntry>();
  const finished = new Map<string, MemoryEntry>();
  const order = createFinishOrder<MemoryEntry>((entry) => finished.get(entry.key) === entry);
  let outcomeChars = 0;
  let isClosed = false;
  let pending: Committed[] = [];

  function later(work: Committed): void {
    pending.push(work);
    if (pending.length === 1) queueMicrotask(flush);
  }

  function flush(): void {
    while (pending.length > 0) {
      const batch = pending;
      pending = [];
      for (const work of batch) runCommitted(work, undefined);
    }
  }

  function drop(entry: MemoryEntry): void {
    if (finished.get(entry.key) !== entry) return;
    finished.delete(entry.key);
    outcomeChars -= entry.outcome?.length ?? 0;
  }

  function applyRetention(): void {
    const oldestAllowed = now() - retention.retentionMs;
    for (let entry = order.oldest(); entry !== undefined; entry = order.oldest()) {
      const isExpired = (entry.finishedAtMs ?? 0) < oldestAllowed;
      const isTooMany = finished.size > retention.maxEntries || outcomeChars > retention.maxBytes;
      if (!isExpired && !isTooMany) return;
      drop(entry);
    }
  }

  const ledger: Ledger = {
    get(key): LedgerEntry | undefined {
      return open.get(key) ?? finished.get(key);
    },

    open(record, committed: Committed) {
      if (isClosed) return later(() => committed(ledgerClosed()));
      const { key, fingerprint, meta } = record;
      const former = open.get(key) ?? finished.get(key);
      if (former !== undefined) {
        if (record.reopen !== true) return later(() => committed(keyExists(key)));
        open.delete(key);
        drop(former);
      }
      open.set(key, { key, fingerprint, stage: "open", openedAtMs: now(), meta });
      later(committed);
    },

    finish(key, outcome, committed: Committed) {
      if (isClosed) return later(() => committed(ledgerClosed()));
      const entry = open.get(key);
      if (entry === undefined || entry.finishing === true) {
        return later(() => committed(notOpen(key)));
      }
      entry.finishing = true;
      later(() => {
        // Forgotten or opened anew in the same turn.
        if (open.get(key) !== entry) return committed(notOpen(key));
        open.delete(key);
        entry.stage = "finished";
        entry.finishedAtMs = now();
        entry.outcome = outcome;
        outcomeChars += outcome.length;
        finished.set(key, entry);
        order.push(entry);
        applyRetention();
        committed();
      });
    },

    forget(key, committed: Committed = () => {}) {
      if (isClosed) return later(() => committed(ledgerClosed()));
      open.delete(key);
      const entry = finished.get(key);
      if (entry !== undefined) drop(entry);
      later(committed);
    },

    outcome(key) {
      return finished.get(key)?.outcome;
    },

    openEntries() {
      return open.values();
    },

    get stats(): LedgerStats {
      let oldestAtMs: number | undefined;
      for (const entry of [...open.values(), ...finished.values()]) {
        oldestAtMs = Math.min(oldestAtMs ?? entry.openedAtMs, entry.openedAtMs);
      }
      return {
        entries: open.size + finished.size,
        open: open.size,
        journalBytes: outcomeChars,
        oldestAtMs,
      };
    },

    durability: "none",

    async close() {
      isClosed = true;
      flush();
    },

    [Symbol.asyncDispose]: () => ledger.close(),
  };
  return ledger;
}
