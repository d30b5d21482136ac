import { isFinalConnectError } from "@openclaw/protocol";
import { GatewayError } from "../errors.ts";
import type { GatewayErrorCode, RemoteErrorShape } from "../errors.ts";
import type { ConnectPlan } from "./connect-plan.ts";

/** What to do after a Gateway answered `connect` with an error. */
export interface RefusalDecision {
  /** Something to change for the next attempt. */
  readonly learn: Lesson | undefined;
  /** Why this attempt failed; absent when another should follow at once. */
  readonly error: GatewayError | undefined;
}

export type Lesson =
  | "only-protocol-3"
  | "not-only-protocol-3"
  | "only-v2-signature"
  | "try-device-token"
  /** The setup code is of no use any more; there is something else to try. */
  | "setup-code-is-over"
  /** The stored device token is stale; the identity stays. */
  | "forget-device-token";

export interface RefusalContext {
  readonly endpoint: string;
  readonly plan: ConnectPlan;
  /** The plan follows from the defaults. */
  readonly mayRenegotiate: boolean;
  /** There is something to present besides the setup code. */
  readonly hasOtherCredential: boolean;
  /** There is a device token that this attempt did not present. */
  readonly hasUnusedDeviceToken: boolean;
  /** The device token in use came from the store. */
  readonly deviceTokenIsStored: boolean;
  /** Loopback or TLS: the Gateway is who it was, or nobody listens in. */
  readonly isTrustedPath: boolean;
  /** Not too many attempts have followed each other at once already. */
  readonly mayRetry: boolean;
}

/** Decides what a refused handshake means. Pure. */
export function decideRefusal(refusal: RemoteErrorShape, context: RefusalContext): RefusalDecision {
  const learn = lessonOf(refusal, context);
  const retries = learn !== undefined && context.mayRetry && !isHopeless(learn, context);
  return { learn, error: retries ? undefined : refusalError(refusal, context) };
}

/** The stale token stood beside a secret that had been refused before: nothing is left to try. */
function isHopeless(lesson: Lesson, { plan }: RefusalContext): boolean {
  return (
    lesson === "forget-device-token" &&
    plan.credential.auth?.deviceToken !== undefined &&
    (plan.credential.auth.token !== undefined || plan.credential.auth.password !== undefined)
  );
}

function lessonOf(refusal: RemoteErrorShape, context: RefusalContext): Lesson | undefined {
  const { plan } = context;
  const details = detailsOf(refusal);
  if (isProtocolMismatch(refusal)) {
    if (!context.mayRenegotiate) return undefined;
    if (details.expectedProtocol === 3 && plan.minProtocol > 3) return "only-protocol-3";
    if (details.expectedProtocol === 4 && plan.maxProtocol < 4) return "not-only-protocol-3";
    return undefined;
  }
  if (plan.signature === "v3" && isSignatureInvalid(refusal)) return "only-v2-signature";
  if (details.code === "AUTH_BOOTSTRAP_TOKEN_INVALID" && plan.credential.auth?.bootstrapToken)
    return context.hasOtherCredential ? "setup-code-is-over" : undefined;
  if (!isSecretMismatch(refusal)) return undefined;
  if (plan.credential.usesDeviceToken) {
    return context.deviceTokenIsStored ? "forget-device-token" : undefined;
  }
  const offered = details.canRetryWithDeviceToken === true;
  return offered && context.hasUnusedDeviceToken && context.isTrustedPath
    ? "try-device-token"
    : undefined;
}

/** A refusal as the error that a caller sees. */
export function refusalError(
  refusal: RemoteErrorShape,
  context: Pick<RefusalContext, "endpoint">,
): GatewayError {
  const details = detailsOf(refusal);
  const code = codeOf(refusal);
  return new GatewayError(
    code,
    `handshake with ${context.endpoint} rejected: ${printable(refusal.message)}`,
    {
      final: isFinal(code, refusal),
      hint: hintOf(code, details),
      details: refusal.details,
      retryAfterMs: refusal.retryAfterMs,
    },
  );
}

function codeOf(refusal: RemoteErrorShape): GatewayErrorCode {
  const { code = "" } = detailsOf(refusal);
  if (isProtocolMismatch(refusal)) return "PROTOCOL_MISMATCH";
  if (code === "PAIRING_REQUIRED" || refusal.message.startsWith("pairing required")) {
    return "PAIRING_REQUIRED";
  }
  if (/^(?:AUTH|DEVICE)_/.test(code)) return "AUTH_FAILED";
  if (/^(?:unauthorized|device (?:identity|signature|nonce|public key))/.test(refusal.message)) {
    return "AUTH_FAILED";
  }
  return "HANDSHAKE_REJECTED";
}

/** Codes whose cause lies in time, not in settings. */
const PASSING_AUTH_CODES: ReadonlySet<string> = new Set([
  "AUTH_RATE_LIMITED",
  "DEVICE_AUTH_SIGNATURE_EXPIRED",
  "DEVICE_AUTH_NONCE_MISMATCH",
]);

function isFinal(code: GatewayErrorCode, refusal: RemoteErrorShape): boolean {
  const details = detailsOf(refusal);
  // Waiting for approval is a state of its own, and whoever does not wait gives up anyway.
  if (code === "PAIRING_REQUIRED") return false;
  if (details.code !== undefined && PASSING_AUTH_CODES.has(details.code)) return false;
  if (details.recommendedNextStep === "wait_then_retry") return false;
  if (refusal.retryable === true || refusal.retryAfterMs !== undefined) return false;
  if (code === "PROTOCOL_MISMATCH" || code === "AUTH_FAILED") return true;
  if (isFinalConnectError(refusal.details)) return true;
  // The same params would be refused again.
  return refusal.code === "INVALID_REQUEST";
}

function hintOf(code: GatewayErrorCode, details: RefusalDetails): string | undefined {
  switch (code) {
    case "PAIRING_REQUIRED": {
      const id = typeof details.requestId === "string" ? printable(details.requestId) : "<id>";
      return `On the Gateway host run "openclaw devices list", then "openclaw devices approve ${id}".`;
    }
    case "PROTOCOL_MISMATCH":
      return "Update the older of the two sides; this client speaks protocol 3 and 4.";
    case "AUTH_FAILED":
      return authHint(details.code ?? "");
    default:
      return undefined;
  }
}

function authHint(code: string): string {
  if (code === "AUTH_BOOTSTRAP_TOKEN_INVALID") {
    return 'A setup code serves one device, for ten minutes. Ask for a new one: "openclaw qr" on the Gateway host.';
  }
  if (code.startsWith("AUTH_PASSWORD")) {
    return "The Gateway expects its password: --password or OPENCLAW_GATEWAY_PASSWORD.";
  }
  if (code === "AUTH_RATE_LIMITED") return "Too many failed attempts; wait before the next one.";
  if (code === "AUTH_DEVICE_TOKEN_MISMATCH") {
    return "This device's token was rotated or revoked; give the Gateway's token once to get a new one.";
  }
  if (code.startsWith("DEVICE_")) {
    return "The Gateway needs a signed device identity that it accepts; check the identity file of this device.";
  }
  return "The Gateway expects its token: --token or OPENCLAW_GATEWAY_TOKEN.";
}

interface RefusalDetails {
  readonly code?: string;
  readonly reason?: unknown;
  readonly expectedProtocol?: unknown;
  readonly canRetryWithDeviceToken?: unknown;
  readonly recommendedNextStep?: unknown;
  readonly requestId?: unknown;
}

function detailsOf({ details }: RemoteErrorShape): RefusalDetails {
  if (typeof details !== "object" || details === null) return {};
  const { code, ...rest } = details as { code?: unknown };
  return typeof code === "string" ? { ...rest, code } : rest;
}

function isProtocolMismatch(refusal: RemoteErrorShape): boolean {
  return (
    detailsOf(refusal).code === "PROTOCOL_MISMATCH" || refusal.message.includes("protocol mismatch")
  );
}

function isSignatureInvalid(refusal: RemoteErrorShape): boolean {
  const { code } = detailsOf(refusal);
  return (
    code === "DEVICE_AUTH_SIGNATURE_INVALID" || refusal.message.includes("device signature invalid")
  );
}

function isSecretMismatch(refusal: RemoteErrorShape): boolean {
  const { code } = detailsOf(refusal);
  if (code === undefined) return /^unauthorized\b.*mismatch/.test(refusal.message);
  return (
    code === "AUTH_TOKEN_MISMATCH" ||
    code === "AUTH_PASSWORD_MISMATCH" ||
    code === "AUTH_DEVICE_TOKEN_MISMATCH"
  );
}

/** The request that an operator has to approve, as a refusal for want of pairing names it. */
export function requestIdOf({ details }: GatewayError): string | undefined {
  if (typeof details !== "object" || details === null || !("requestId" in details))
    return undefined;
  return typeof details.requestId === "string" ? details.requestId : undefined;
}

/** Text of the peer, fit for a terminal. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what has to go
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, " ").slice(0, 500);
}
