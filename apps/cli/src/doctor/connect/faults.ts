import { type Evidence, StepFailure } from "../../remote/walk.ts";
import type { ConnectStep } from "./steps.ts";

/** What `doctor connect` calls a broken link. Codes are never renamed, only added. */
export const CONNECT_FAULTS = [
  // target
  "CONFIG_INVALID",
  "REMOTE_URL_MISSING",
  "INSECURE_URL",
  "TARGET_INVALID",
  // name, route
  "NAME_NOT_RESOLVED",
  "GATEWAY_ON_OTHER_PORT",
  "GATEWAY_NOT_RUNNING",
  "BOUND_TO_LOOPBACK",
  "TUNNEL_DOWN",
  "TUNNEL_FORKS_UNDER_SUPERVISION",
  "CONNECTION_REFUSED",
  "NO_ANSWER",
  "HOST_UNREACHABLE",
  // ssh, forward
  "NOT_SSH",
  "HOST_KEY_UNKNOWN",
  "HOST_KEY_CHANGED",
  "AUTHENTICATION_REFUSED",
  "AGENT_LOCKED",
  "IDENTITY_LOCKED",
  "SSH_FAILED",
  "FORWARD_REFUSED",
  "REMOTE_PORT_CLOSED",
  // tls
  "TLS_TO_PLAIN_PORT",
  "PLAIN_TO_TLS_PORT",
  "CERTIFICATE_UNTRUSTED",
  "CERTIFICATE_WRONG_NAME",
  "CERTIFICATE_EXPIRED",
  "CERTIFICATE_NOT_YET_VALID",
  "CLOCK_WRONG",
  "TLS_PIN_MISMATCH",
  "TLS_FAILED",
  // upgrade, challenge
  "DEAD_FORWARD",
  "CLOSED_AT_ONCE",
  "NOT_A_GATEWAY",
  "PROXY_WITHOUT_UPGRADE",
  "PROXY_UPSTREAM_DOWN",
  "PROXY_NOT_TRUSTED",
  "PROXY_HEADERS_INVALID",
  "PROXY_WANTS_LOGIN",
  "REDIRECTED",
  "ORIGIN_REFUSED",
  "HOST_REFUSED",
  "GATEWAY_BUSY",
  "GATEWAY_DRAINING",
  "UPGRADE_NO_ANSWER",
  "NO_CHALLENGE",
  // authentication
  "CREDENTIALS_REQUIRED",
  "TOKEN_MISSING",
  "TOKEN_MISMATCH",
  "PASSWORD_MISSING",
  "PASSWORD_MISMATCH",
  "AUTH_MODE_MISMATCH",
  "DEVICE_TOKEN_REVOKED",
  "RATE_LIMITED",
  "PROTOCOL_MISMATCH",
  "AUTH_REFUSED",
  "HANDSHAKE_REJECTED",
  "HANDSHAKE_NO_ANSWER",
  // pairing, scope
  "NOT_PAIRED",
  "DEVICE_REVOKED",
  "DEVICE_CHANGED",
  "MISSING_SCOPE",
  // node, command
  "NODE_UNKNOWN",
  "NODE_AMBIGUOUS",
  "NODE_OFFLINE",
  "NODE_LIST_FAILED",
  "COMMAND_NOT_DECLARED",
  "COMMAND_NOT_ALLOWED",
  "COMMAND_NOT_APPROVED",
  "COMMAND_REFUSED",
  // any step
  "OUT_OF_TIME",
] as const;

export type ConnectFaultCode = (typeof CONNECT_FAULTS)[number];

export interface FaultOptions extends ErrorOptions {
  /** The step that it belongs to, where one exchange decides several. @default the first of them */
  at?: ConnectStep;
  /** What was seen. Never a secret. */
  evidence?: Evidence;
  /** The one thing to type, or to write into a file. */
  fix: string;
  /** Where to do that, and what to look at first. */
  hint?: string | undefined;
}

/** A broken link, as its step fails with. */
export function fault(
  code: ConnectFaultCode,
  message: string,
  { at, evidence = {}, fix, hint, cause }: FaultOptions,
): StepFailure {
  return new StepFailure(message, {
    code,
    fix,
    evidence: Object.fromEntries(
      Object.entries(evidence).filter(([, value]) => value !== undefined),
    ),
    hint,
    ...(at === undefined ? {} : { at }),
    ...(cause === undefined ? {} : { cause }),
  });
}

/** What `doctor connect` notes beside the way. */
export const NOTES = [
  "CLOCK_SKEW",
  "CLI_NOT_FOUND",
  "OTHER_CONFIG_INVALID",
  "TARGET_WARNING",
] as const;

/** Something that does not break the way, and may still be in it. */
export interface Note {
  readonly code: (typeof NOTES)[number];
  readonly message: string;
  readonly fix?: string;
}
