import type { TailscaleErrorCode } from "./tailscale/tailscale-error-code.ts";

/** What hinders a way in. Codes are never renamed, only added. */
export type ExposureErrorCode =
  | TailscaleErrorCode
  /** One of `gateway.tls.certPath` and `gateway.tls.keyPath` is set, and not the other. */
  | "CERT_PATHS_INCOMPLETE"
  /** There is no certificate where one was to be, and none is to be made. */
  | "CERT_MISSING"
  /** The certificate is there, and cannot be read as one in PEM. */
  | "CERT_UNREADABLE"
  /** The certificate was valid until a moment that is over. */
  | "CERT_EXPIRED"
  /** Certificate and key are right each for itself, and a TLS server cannot use them. */
  | "CERT_UNUSABLE"
  /** A certificate that somebody else has issued; only its issuer can renew it. */
  | "CERT_NOT_OURS"
  /** A certificate is there, and its key is not. */
  | "KEY_MISSING"
  /** The key is there, and cannot be read as one in PEM. */
  | "KEY_UNREADABLE"
  /** The key wants a passphrase, which nobody types for a service. */
  | "KEY_ENCRYPTED"
  /** The key is that of another certificate. */
  | "KEY_MISMATCH"
  /** A certificate was made, and cannot be kept. */
  | "NOT_WRITTEN";

/** Facts beside an {@link ExposureError}; never a secret. */
export interface ExposureErrorDetails {
  /** The file concerned. */
  readonly path?: string;
  /** The command that failed, word by word. */
  readonly command?: readonly string[];
  readonly exitCode?: number | null;
  /** What the program said, shortened and without control characters. */
  readonly output?: string;
  /** Where a person turns on what is missing. */
  readonly link?: string;
  /** The process that stands in the way. */
  readonly pid?: number;
}

/** Options of {@link ExposureError}. */
export interface ExposureErrorOptions extends ErrorOptions {
  /** One sentence that tells the operator what to do next. */
  hint?: string | undefined;
  details?: ExposureErrorDetails | undefined;
}

/** A way in that cannot be opened as it was asked for; nothing else is opened in its stead. */
export class ExposureError extends Error {
  override readonly name: string = "ExposureError";
  readonly code: ExposureErrorCode;
  readonly hint: string | undefined;
  readonly details: ExposureErrorDetails;

  constructor(code: ExposureErrorCode, message: string, options: ExposureErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}
