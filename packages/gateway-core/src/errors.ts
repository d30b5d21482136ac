import type { ErrorCode, ErrorShape } from "@openclaw/protocol";

/**
 * What kept a Gateway from starting or doing what its embedder asked. Codes are never renamed.
 *
 * - `OPTIONS_INVALID`: an option is missing or out of range; the message names it
 * - `BIND_REFUSED`: the address cannot be listened on exactly as asked
 * - `PORT_IN_USE`: another program holds the port
 * - `STORE_LOCKED`: another process uses the same store directory
 * - `STORE_UNREADABLE`: the store exists but cannot be read; nothing was overwritten
 * - `METHOD_CONFLICT`: a method of that name exists
 * - `CLOSED`: the Gateway has been closed
 */
export type GatewayStartErrorCode =
  | "OPTIONS_INVALID"
  | "BIND_REFUSED"
  | "PORT_IN_USE"
  | "STORE_LOCKED"
  | "STORE_UNREADABLE"
  | "METHOD_CONFLICT"
  | "CLOSED";

/** A failure on this side of the wire; never sent to a peer. */
export class GatewayStartError extends Error {
  override readonly name = "GatewayStartError";
  readonly code: GatewayStartErrorCode;
  /** One sentence that tells the operator what to do next. */
  readonly hint: string | undefined;

  constructor(
    code: GatewayStartErrorCode,
    message: string,
    options: ErrorOptions & { hint?: string } = {},
  ) {
    super(message, options);
    this.code = code;
    this.hint = options.hint;
  }
}

export interface RequestErrorOptions {
  details?: unknown;
  retryable?: boolean;
  retryAfterMs?: number;
}

/** A refusal that is answered in a `res` frame. A method's handler throws it to choose the error. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly code: ErrorCode;
  readonly details: unknown;
  readonly retryable: boolean | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: RequestErrorOptions = {}) {
    super(message);
    this.code = code;
    this.details = options.details;
    this.retryable = options.retryable;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** The error as it stands in the frame; absent members are left out. */
  toShape(): ErrorShape {
    const shape: ErrorShape = { code: this.code, message: this.message };
    if (this.details !== undefined) shape.details = this.details;
    if (this.retryable !== undefined) shape.retryable = this.retryable;
    if (this.retryAfterMs !== undefined) shape.retryAfterMs = this.retryAfterMs;
    return shape;
  }
}

export function invalidRequest(message: string, details?: unknown): RequestError {
  return new RequestError("INVALID_REQUEST", message, details === undefined ? {} : { details });
}

export function unavailable(message: string, options: RequestErrorOptions = {}): RequestError {
  return new RequestError("UNAVAILABLE", message, options);
}
