import type { IndexEntry } from "./ledger-index.ts";

/** Keeps the outcomes of the last finished keys in memory, up to `maxChars` characters in all. */
export function createRecentOutcomes(maxChars: number): {
  keep(entry: IndexEntry, outcome: string): void;
} {
  let entries: IndexEntry[] = [];
  let first = 0;
  let chars = 0;
  return {
    keep(entry, outcome) {
      if (outcome.length > maxChars) return;
      entry.recentOutcome = outcome;
      entries.push(entry);
      chars += outcome.length;
      while (chars > maxChars || entries.length - first > MAX_ENTRIES) {
        const oldest = entries[first];
        if (oldest === undefined) break;
        first += 1;
        chars -= oldest.recentOutcome?.length ?? 0;
        oldest.recentOutcome = undefined;
      }
      if (first > MAX_ENTRIES) {
        entries = entries.slice(first);
        first = 0;
      }
    },
  };
}

const MAX_ENTRIES = 1024;
