import type { Ledger } from "@openclaw/ledger";

/** The collections a Gateway keeps. Each holds JSON values under string keys. */
export type Collection = "devices" | "device-requests" | "setup-codes" | "settings";

export type Mutation =
  | { kind: "put"; collection: Collection; key: string; value: unknown }
  | { kind: "delete"; collection: Collection; key: string };

/**
 * Where a Gateway keeps what must survive it. The Gateway reads a collection once, at start, and
 * holds it in memory; after that it only writes. Nothing on the hot path touches a store, except
 * the {@link Store.ledger}, which is made for it.
 */
export interface Store extends AsyncDisposable {
  /** All values of a collection. @throws {GatewayStartError} `STORE_UNREADABLE` */
  read(collection: Collection): Map<string, unknown>;
  /** Applies all mutations or none; durable when it returns. */
  write(mutations: readonly Mutation[]): void;
  /** The record of every invocation. */
  readonly ledger: Ledger;
  /** Flushes and lets go; may be called twice. */
  close(): Promise<void>;
}
