/** What went wrong on this side of the wire, for code to branch on. Codes are never renamed, only added. */
export type GatewayErrorCode =
  /** The dial and the handshake together took longer than `connectTimeoutMs`. */
  | "CONNECT_TIMEOUT"
  /** Nothing accepted the connection: refused, unreachable, name not found, or busy (HTTP 429, 503). */
  | "CONNECT_REFUSED"
  /** The Gateway refused the handshake for a reason without a code of its own. */
  | "HANDSHAKE_REJECTED"
  /** An operator has to approve this device first; `details.requestId` names the request. */
  | "PAIRING_REQUIRED"
  /** A token, password, signature or device token was missing or not accepted. */
  | "AUTH_FAILED"
  /** The two sides share no protocol version. */
  | "PROTOCOL_MISMATCH"
  /** The connection ended, or there is none, while a request needed it. */
  | "CONNECTION_LOST"
  /** No answer within the deadline of the request. The Gateway may still have acted on it. */
  | "REQUEST_TIMEOUT"
  /** The request does not fit into one frame of this Gateway. Nothing was sent. */
  | "REQUEST_TOO_LARGE"
  /** Too much is waiting to be written or answered on this connection. Nothing was sent. */
  | "BACKPRESSURE"
  /** The address is not a usable `ws:` or `wss:` URL. */
  | "INVALID_URL"
  /** Plaintext `ws:` to a host that is not private; refused before anything is sent. */
  | "INSECURE_URL"
  /** Something else answers on that port. */
  | "NOT_A_GATEWAY"
  /** TLS did not come about, or the certificate is not trusted; `details` has what was shown. */
  | "TLS_FAILED"
  /** The certificate is not a pinned one; `details` has both. Somebody may sit in between. */
  | "TLS_PIN_MISMATCH"
  /** A pin that cannot be read, more than two of them, or one for plaintext `ws:`. */
  | "TLS_PIN_INVALID"
  /** A newer connection of the same device took over. */
  | "SUPERSEDED"
  /** `close()` was called. */
  | "CLOSED"
  /** The identity file exists, but cannot be read as one; it is left as it is. */
  | "IDENTITY_UNREADABLE"
  /** The token file exists, but cannot be read as one; it is left as it is. */
  | "TOKEN_STORE_UNREADABLE";

export interface GatewayErrorOptions extends ErrorOptions {
  /** One sentence that tells the operator what to do next. */
  hint?: string | undefined;
  /** True when another attempt without a change of settings cannot succeed. @default false */
  final?: boolean | undefined;
  /** What the peer added, for example `{ code, requestId }` of a refused handshake. */
  details?: unknown;
  /** WebSocket close code, where one was received. */
  closeCode?: number | undefined;
  /** The Gateway asked not to come back earlier than this. */
  retryAfterMs?: number | undefined;
}

/** A failure on this side of the wire. Errors the peer reports are {@link RemoteError}. */
export class GatewayError extends Error {
  override readonly name: string = "GatewayError";
  readonly code: GatewayErrorCode;
  /** True when another attempt without a change of settings cannot succeed. */
  readonly final: boolean;
  readonly hint: string | undefined;
  readonly details: unknown;
  readonly closeCode: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: GatewayErrorCode, message: string, options: GatewayErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.final = options.final ?? false;
    this.hint = options.hint;
    this.details = options.details;
    this.closeCode = options.closeCode;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** The `error` member of a response frame. */
export interface RemoteErrorShape {
  code: string;
  message: string;
  details?: unknown;
  retryable?: boolean | undefined;
  retryAfterMs?: number | undefined;
}

/** An error that the Gateway answered to a request. */
export class RemoteError extends Error {
  override readonly name: string = "RemoteError";
  /** Code of the wire, for example `INVALID_REQUEST`, `UNAVAILABLE` or `FORBIDDEN`. */
  readonly code: string;
  readonly details: unknown;
  /** The Gateway says that the same request may succeed later. */
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  /** Method of the request. */
  readonly method: string;

  constructor(method: string, shape: RemoteErrorShape) {
    super(shape.message);
    this.method = method;
    this.code = shape.code;
    this.details = shape.details;
    this.retryable = shape.retryable ?? false;
    this.retryAfterMs = shape.retryAfterMs;
  }
}
