import { createMemoryLedger } from "@openclaw/ledger";
import type { Collection, Store } from "./store.ts";

/** A store that forgets everything with the process: for tests and throw-away Gateways. */
export function createMemoryStore(): Store {
  const collections = new Map<Collection, Map<string, string>>();
  const ledger = createMemoryLedger();

  const of = (collection: Collection): Map<string, string> => {
    let values = collections.get(collection);
    if (!values) collections.set(collection, (values = new Map()));
    return values;
  };

  const close = (): Promise<void> => ledger.close();

  return {
    ledger,
    read(collection) {
      const copies = new Map<string, unknown>();
      for (const [key, text] of of(collection)) copies.set(key, JSON.parse(text));
      return copies;
    },
    write(mutations) {
      for (const mutation of mutations) {
        // Kept as text, so that a caller that edits its object later does not edit the store.
        if (mutation.kind === "put")
          of(mutation.collection).set(mutation.key, JSON.stringify(mutation.value));
        else of(mutation.collection).delete(mutation.key);
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
