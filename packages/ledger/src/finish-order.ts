/** Finished entries in the order in which they finished. */
export interface FinishOrder<Entry> {
  push(entry: Entry): void;
  /** The oldest entry that is still kept. */
  oldest(): Entry | undefined;
}

/** Passed-over entries are cut off when there are more of them than this, and than of the others. */
const MAX_PASSED_OVER = 1_024;

/**
 * A queue beside the map of finished entries: a map whose first entries were deleted is slow to tell
 * its first one. Entries that are not kept any more are passed over.
 */
export function createFinishOrder<Entry>(isKept: (entry: Entry) => boolean): FinishOrder<Entry> {
  let entries: Entry[] = [];
  let first = 0;
  return {
    push: (entry) => void entries.push(entry),
    oldest() {
      let entry = entries[first];
      while (entry !== undefined && !isKept(entry)) {
        first += 1;
        entry = entries[first];
      }
      if (first > MAX_PASSED_OVER && first > entries.length / 2) {
        entries = entries.slice(first);
        first = 0;
      }
      return entry;
    },
  };
}
