import type { ConfigIssue } from "./config-issue.ts";

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
  | "INSECURE_URL"
  /** A TLS pin that cannot be read, more than two of them, or one where there is no TLS. */
  | "INVALID_TLS_PIN"
  /** A change of a config file that no config can hold. */
  | "INVALID_EDIT"
  /** The config file cannot be read as an object of JSON5; it stays as it is. */
  | "CONFIG_UNREADABLE"
  /** The config file would not pass the schema; `issues` says why. Nothing was written. */
  | "CONFIG_INVALID"
  /** Another process is changing the config file. */
  | "CONFIG_LOCKED"
  /** Somebody changed the config file while it was being edited. Nothing was written. */
  | "CONFIG_CHANGED"
  /** The config file cannot be written. */
  | "CONFIG_NOT_WRITTEN"
  /** The environment says that the config file is somebody else's to write. */
  | "CONFIG_READONLY"
  /** The key comes from an included file, which is not changed through the one that includes it. */
  | "CONFIG_INCLUDED"
  /** There is no record of a migration, or something is in the way of taking it back. */
  | "MIGRATION_NOT_UNDONE";

/** Options of {@link ConfigError}. */
export interface ConfigErrorOptions extends ErrorOptions {
  /** One sentence that tells the user what to do next. */
  hint?: string;
  /** What is wrong in the config file. */
  issues?: readonly ConfigIssue[];
}

/** A request that this package refuses. What a config *file* may have wrong is a value instead. */
export class ConfigError extends Error {
  /** By name: a program may hold this class more than once, one for each of its bundles. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === "ConfigError";
  }

  override readonly name: string = "ConfigError";
  readonly code: ConfigErrorCode;
  readonly hint: string | undefined;
  /** What is wrong in the config file; most errors have none. */
  readonly issues: readonly ConfigIssue[];

  constructor(code: ConfigErrorCode, message: string, options: ConfigErrorOptions = {}) {
    super(message, options);
    this.code = code;
    this.hint = options.hint;
    this.issues = options.issues ?? [];
  }
}
