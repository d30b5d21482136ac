/** What is wrong with a call into this package. Codes are never renamed, only added. */
export type ConfigErrorCode =
  /** A profile name that is not allowed, or `--profile` together with `--dev`. */
  | "INVALID_PROFILE"
  /** `--url` and `--port` were given together. */
  | "URL_AND_PORT"
  /** A gateway URL that is no `ws:`, `wss:` or SSH address, carries credentials, or cannot be parsed. */
  | "INVALID_URL"
  /** `gateway.remote.sshTarget` is not `[user@]host[:port]`. */
  | "INVALID_SSH_TARGET"
  /** A port that is no integer from 1 to 65535. */
  | "INVALID_PORT"
  /** `gateway.mode` is `remote`, and `gateway.remote.url` is missing. */
  | "REMOTE_URL_MISSING"
  /** Plaintext `ws://` to a host where a stranger could listen. */
  | "INSECURE_URL";

/** Options of {@link ConfigError}. */
export interface ConfigErrorOptions extends ErrorOptions {
  /** One sentence that tells the user what to do next. */
  hint?: string;
}

/** A request that this package refuses. What a config *file* may have wrong is a value instead. */
export class ConfigError extends Error {
  override readonly name: string = "ConfigError";
  readonly code: ConfigErrorCode;
  readonly hint: string | undefined;

  constructor(code: ConfigErrorCode, message: string, options: ConfigErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.hint = options.hint;
  }
}
