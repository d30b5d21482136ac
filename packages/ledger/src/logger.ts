/** The part of a logger that the ledger uses. A pino logger fits as it is. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const drop = (): void => {};

/** Drops everything. */
export const silentLogger: Logger = { debug: drop, info: drop, warn: drop, error: drop };
