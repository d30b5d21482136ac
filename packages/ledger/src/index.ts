export { LedgerError } from "./errors.ts";
export { createFileLedger } from "./file-ledger.ts";
export { createMemoryLedger } from "./memory-ledger.ts";
export { defaultRetention } from "./retention.ts";

export type { LedgerErrorCode, LedgerErrorOptions } from "./errors.ts";
export type { LedgerOptions } from "./file-ledger.ts";
export type { LedgerFileSystem } from "./file-system.ts";
export type {
  Committed,
  JsonObject,
  JsonValue,
  Ledger,
  LedgerDurability,
  LedgerEntry,
  LedgerRecord,
  LedgerStage,
  LedgerStats,
} from "./ledger.ts";
export type { Logger } from "./logger.ts";
export type { MemoryLedgerOptions } from "./memory-ledger.ts";
export type { RetentionOptions } from "./retention.ts";
