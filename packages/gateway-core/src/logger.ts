/**
 * Where the Gateway tells its story. A pino logger fits as it is; the default drops everything.
 * Fields come first, then a constant message. Secrets and frame bodies are never passed.
 */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  child(fields: object): Logger;
}

export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
