/**
 * What `error.type` says in the `--json` envelope. Types are never renamed, only added.
 *
 * - `cli_error`: the command line or the configuration is wrong; nothing was sent. `kind` is
 *   `usage`, `config`, `not_found` or `unsupported`, or `interrupted` after Ctrl-C
 * - `gateway_credentials_required`: a credential is needed and none was given; nothing was sent
 * - `gateway_transport_error`: no answer from a Gateway. `kind` is `refused`, `closed`, `timeout`,
 *   `not_a_gateway`, `insecure_url`, `tls`, `tls_pin` with `expected` and `found`, `protocol`, or `ssh` with the tunnel's `code`, `final` and
 *   `details`; `gateway {url, urlSource, via}` stands beside
 * - `gateway_auth_error`: the Gateway did not accept the credential; `code` is its detail code
 * - `gateway_pairing_required`: an operator has to approve this device; `requestId` names the request
 * - `gateway_request_error`: the Gateway answered with an error; `code`, `method`, `details` are its
 * - `node_error`: the node, or the way to it, failed an invocation; `code` is the node's
 * - `tunnel_error`: a tunnel could not be opened, or was given up; `code`, `final`, `details` are its
 * - `internal_error`: a defect of this program
 */
export type CliErrorType =
  | "cli_error"
  | "gateway_credentials_required"
  | "gateway_transport_error"
  | "gateway_auth_error"
  | "gateway_pairing_required"
  | "gateway_request_error"
  | "node_error"
  | "tunnel_error"
  | "internal_error";

export interface CliErrorOptions extends ErrorOptions {
  /** What to do next; each entry is a line of its own. */
  hints?: readonly string[];
  /** @default 1 */
  exitCode?: number;
  /** More members of `error` in the envelope, such as `kind` or `requestId`. */
  fields?: Readonly<Record<string, unknown>>;
  /** Members beside `error` in the envelope, such as `gateway`. */
  siblings?: Readonly<Record<string, unknown>>;
}

/** A failure that the user is told about: a message, hints, and a stable type for scripts. */
export class CliError extends Error {
  /** By name: a part that is bundled into a file of its own has a class of its own. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === "CliError";
  }

  override readonly name = "CliError";
  readonly type: CliErrorType;
  readonly hints: readonly string[];
  readonly exitCode: number;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly siblings: Readonly<Record<string, unknown>>;

  constructor(type: CliErrorType, message: string, options: CliErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.type = type;
    this.hints = options.hints ?? [];
    this.exitCode = options.exitCode ?? 1;
    this.fields = options.fields ?? {};
    this.siblings = options.siblings ?? {};
  }
}

/** The command line is wrong. */
export function usageError(message: string, ...hints: string[]): CliError {
  return new CliError("cli_error", message, { hints, fields: { kind: "usage" } });
}
