/**
 * What went wrong, for code to branch on. Codes are never renamed, only added.
 *
 * - `LOCKED`: another process owns the directory; `pid` names it.
 * - `CORRUPT`: a record in the middle of the journal is damaged; `file` and `offset` say where.
 * - `IO`: the file system refused; `cause` is its error. Nothing was acknowledged.
 * - `KEY_EXISTS`: `open` of a known key without `reopen`.
 * - `NOT_OPEN`: `finish` of a key that is not open.
 * - `CLOSED`: the ledger is closed.
 */
export type LedgerErrorCode = "LOCKED" | "CORRUPT" | "IO" | "KEY_EXISTS" | "NOT_OPEN" | "CLOSED";

export interface LedgerErrorOptions extends ErrorOptions {
  /** One sentence that tells the operator what to do next. */
  hint?: string;
  /** The file concerned. */
  file?: string;
  /** Offset in `file`, in bytes. */
  offset?: number;
  /** The process that owns the directory. */
  pid?: number;
}

/** A failure of the ledger. */
export class LedgerError extends Error {
  override readonly name: string = "LedgerError";
  readonly code: LedgerErrorCode;
  readonly hint: string | undefined;
  readonly file: string | undefined;
  readonly offset: number | undefined;
  readonly pid: number | undefined;

  constructor(code: LedgerErrorCode, message: string, options: LedgerErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.hint = options.hint;
    this.file = options.file;
    this.offset = options.offset;
    this.pid = options.pid;
  }
}

/** The error of `open` for a key that is known already. */
export function keyExists(key: string): LedgerError {
  return new LedgerError("KEY_EXISTS", `the ledger already knows the key ${JSON.stringify(key)}`);
}

/** The error of `finish` for a key that is not open. */
export function notOpen(key: string): LedgerError {
  return new LedgerError("NOT_OPEN", `the ledger has no open key ${JSON.stringify(key)}`);
}

/** The error of every call after `close()`. */
export function ledgerClosed(): LedgerError {
  return new LedgerError("CLOSED", "the ledger is closed");
}
