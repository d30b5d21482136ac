import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createFileLedger, type LedgerOptions } from "@openclaw/ledger";
import { GatewayStartError } from "../errors.ts";
import type { Store } from "./store.ts";

export interface SqliteStoreOptions {
  /** Folder of the database and the ledger; created with mode 0700 when missing. */
  directory: string;
  /** How long and how many results are kept, and what durability costs. See `@openclaw/ledger`. */
  ledger?: Omit<LedgerOptions, "directory">;
}

const SCHEMA_VERSION = 1;

/**
 * The embedded default store: SQLite for pairing and settings, an append-only journal beside it for
 * invocations. One process at a time.
 *
 * @throws {GatewayStartError} `STORE_LOCKED` when another process uses the folder,
 * `STORE_UNREADABLE` when the database is damaged or of a newer release; neither writes anything.
 */
export function createSqliteStore(options: SqliteStoreOptions): Store {
  const { directory } = options;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, "gateway.sqlite");
  const database = openDatabase(path);
  const ledger = openLedger(directory, options.ledger, () => database.close());

  const put = database.prepare(
    "INSERT INTO records (collection, key, value) VALUES (?, ?, ?) " +
      "ON CONFLICT (collection, key) DO UPDATE SET value = excluded.value",
  );
  const remove = database.prepare("DELETE FROM records WHERE collection = ? AND key = ?");
  const all = database.prepare("SELECT key, value FROM records WHERE collection = ?");

  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= ledger.close().finally(() => database.close());
    return closing;
  };

  return {
    ledger,
    read(collection) {
      const values = new Map<string, unknown>();
      for (const row of all.all(collection)) {
        try {
          values.set(String(row["key"]), JSON.parse(String(row["value"])));
        } catch (cause) {
          throw new GatewayStartError(
            "STORE_UNREADABLE",
            `record ${collection}/${String(row["key"])} in ${path} is not JSON`,
            { cause, hint: "Restore the file from a backup; it has not been changed." },
          );
        }
      }
      return values;
    },
    write(mutations) {
      database.exec("BEGIN IMMEDIATE");
      try {
        for (const mutation of mutations) {
          if (mutation.kind === "put")
            put.run(mutation.collection, mutation.key, JSON.stringify(mutation.value));
          else remove.run(mutation.collection, mutation.key);
        }
        database.exec("COMMIT");
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

type Sqlite = typeof import("node:sqlite");
type Database = InstanceType<Sqlite["DatabaseSync"]>;

function openDatabase(path: string): Database {
  // Loaded on use: a Gateway over a memory store should not pay for it, and Node 22 prints a
  // warning whenever it is.
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  let database: Database | undefined;
  try {
    database = new DatabaseSync(path);
    chmodSync(path, 0o600);
    // Exclusive locking keeps a second Gateway out for as long as this one lives, without a lock
    // file that could go stale. FULL: pairing decisions are rare and must survive a power cut.
    database.exec(
      "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;",
    );
    database.exec("BEGIN IMMEDIATE");
    const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
    if (version > SCHEMA_VERSION) {
      throw new GatewayStartError(
        "STORE_UNREADABLE",
        `${path} was written by a newer release (schema ${version}, this one knows ${SCHEMA_VERSION})`,
        { hint: "Upgrade this Gateway, or give it another state directory." },
      );
    }
    database.exec(
      "CREATE TABLE IF NOT EXISTS records (" +
        "collection TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, " +
        "PRIMARY KEY (collection, key)) WITHOUT ROWID, STRICT",
    );
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    database.exec("COMMIT");
    return database;
  } catch (cause) {
    database?.close();
    if (cause instanceof GatewayStartError) throw cause;
    // https://www.sqlite.org/rescode.html: 5 is SQLITE_BUSY, 6 SQLITE_LOCKED.
    const code = cause instanceof Error && "errcode" in cause ? Number(cause.errcode) & 0xff : 0;
    if (code === 5 || code === 6) {
      throw new GatewayStartError("STORE_LOCKED", `another process uses ${path}`, {
        cause,
        hint: "Stop the other Gateway, or give this one its own state directory.",
      });
    }
    throw new GatewayStartError("STORE_UNREADABLE", `cannot open ${path}: ${String(cause)}`, {
      cause,
      hint: "Restore the file from a backup; it has not been changed.",
    });
  }
}

function openLedger(
  directory: string,
  options: SqliteStoreOptions["ledger"],
  onFailure: () => void,
): Store["ledger"] {
  try {
    return createFileLedger({ ...options, directory: join(directory, "ledger") });
  } catch (error) {
    onFailure();
    throw error;
  }
}
