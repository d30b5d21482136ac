/** What an error response says went wrong, for code to branch on. */
export interface ErrorShape {
  /** {@link ErrorCode}; a string, since newer peers may know more. */
  code: string;
  /** One sentence for people; some texts are read by published peers and are kept byte for byte. */
  message: string;
  /** Facts for code, commonly with a `code` of their own. */
  details?: unknown;
  /** The same request may succeed later. */
  retryable?: boolean;
  /** How long to wait before that, in milliseconds. */
  retryAfterMs?: number;
}

/** Top-level error codes of a response. */
export type ErrorCode =
  /** Bad params, failed authentication, wrong role, unknown method, conflict. */
  | "INVALID_REQUEST"
  /** A device identity or its approval is missing. */
  | "NOT_PAIRED"
  /** A dependency failed: node offline or silent, Gateway starting or draining, rate limit. */
  | "UNAVAILABLE"
  /** A scope is missing. Protocol 3 says INVALID_REQUEST instead. */
  | "FORBIDDEN"
  | "NOT_LINKED"
  | "AGENT_TIMEOUT"
  | "APPROVAL_NOT_FOUND";

/** `details.code` of a refused `connect`. */
export type ConnectErrorDetailCode =
  | "PROTOCOL_MISMATCH"
  | "AUTH_REQUIRED"
  | "AUTH_UNAUTHORIZED"
  | "AUTH_TOKEN_MISSING"
  | "AUTH_TOKEN_MISMATCH"
  | "AUTH_TOKEN_NOT_CONFIGURED"
  | "AUTH_PASSWORD_MISSING"
  | "AUTH_PASSWORD_MISMATCH"
  | "AUTH_PASSWORD_NOT_CONFIGURED"
  | "AUTH_BOOTSTRAP_TOKEN_INVALID"
  | "AUTH_DEVICE_TOKEN_MISMATCH"
  | "AUTH_SCOPE_MISMATCH"
  | "AUTH_RATE_LIMITED"
  | "AUTH_TAILSCALE_IDENTITY_MISSING"
  | "AUTH_TAILSCALE_PROXY_MISSING"
  | "AUTH_TAILSCALE_WHOIS_FAILED"
  | "AUTH_TAILSCALE_IDENTITY_MISMATCH"
  | "AUTH_IDENTITY_HEADER_REQUIRED"
  | "AUTH_VERIFIED_USER_REQUIRED"
  | "AUTHENTICATED_PROFILE_UNAVAILABLE"
  | "CONTROL_UI_ORIGIN_NOT_ALLOWED"
  | "CONTROL_UI_DEVICE_IDENTITY_REQUIRED"
  | "CONTROL_UI_BUILD_MISMATCH"
  | "DEVICE_IDENTITY_REQUIRED"
  | "DEVICE_AUTH_INVALID"
  | "DEVICE_AUTH_DEVICE_ID_MISMATCH"
  | "DEVICE_AUTH_SIGNATURE_EXPIRED"
  | "DEVICE_AUTH_NONCE_REQUIRED"
  | "DEVICE_AUTH_NONCE_MISMATCH"
  | "DEVICE_AUTH_SIGNATURE_INVALID"
  | "DEVICE_AUTH_PUBLIC_KEY_INVALID"
  | "PAIRING_REQUIRED"
  | "CLIENT_VERSION_MISMATCH";

/** `details.recommendedNextStep` of a failed authentication. */
export type RecommendedNextStep =
  | "retry_with_device_token"
  | "update_auth_configuration"
  | "update_auth_credentials"
  | "wait_then_retry"
  | "review_auth_configuration";

/** `details.code` and `details.nodeError.code` of a failed `node.invoke`. Nodes may send others. */
export type NodeErrorCode =
  /** The node is not here; nothing was sent. */
  | "NOT_CONNECTED"
  /** The deadline passed. */
  | "TIMEOUT"
  /** The connection to the node was lost while the command ran. */
  | "DISCONNECTED"
  /** The caller, or its end, stopped the work. */
  | "ABORTED"
  /** No progress for longer than the inactivity deadline. */
  | "IDLE_TIMEOUT"
  | "ROUTE_CHANGED"
  | "POLICY_CHANGED"
  /** The node, or the surface that holds the command, is not approved (any more). */
  | "PAIRING_CHANGED"
  | "APPROVAL_AUTHORITY_CLOSED"
  | "NODE_NOT_READY"
  | "QUEUED_UNTIL_FOREGROUND"
  | "INVALID_REQUEST"
  | "UNAVAILABLE"
  | "UNAUTHORIZED"
  | "NOT_PAIRED"
  | "SYSTEM_RUN_DENIED"
  | "NODE_BACKGROUND_UNAVAILABLE"
  | "PAYLOAD_TOO_LARGE"
  /** Ours: the node began the command, died, and does not know how far it came. */
  | "INTERRUPTED"
  /** Ours: the node has never seen the invocation, so that its key may run again. */
  | "NOT_RECEIVED"
  /** Ours: the idempotency key was used before with another body. */
  | "KEY_CONFLICT"
  /** Ours: more is waiting for the node than it reads. */
  | "NODE_BACKPRESSURE";

/** Answers to `connect` that stay the same however often it is repeated. */
const FINAL_CODES: ReadonlySet<string> = new Set<ConnectErrorDetailCode>([
  "AUTH_TOKEN_MISSING",
  "AUTH_PASSWORD_MISSING",
  "AUTH_PASSWORD_MISMATCH",
  "AUTH_PASSWORD_NOT_CONFIGURED",
  "AUTH_BOOTSTRAP_TOKEN_INVALID",
  "AUTH_RATE_LIMITED",
  "AUTH_DEVICE_TOKEN_MISMATCH",
  "AUTH_SCOPE_MISMATCH",
  "DEVICE_IDENTITY_REQUIRED",
  "PROTOCOL_MISMATCH",
  "CLIENT_VERSION_MISMATCH",
]);

/**
 * Whether the `details` of a refused `connect` say that repeating it as it was is of no use: only
 * another credential, identity or version helps. A missing pairing is final unless the Gateway asks
 * to wait for it, a token mismatch unless it offers the device token instead.
 */
export function isFinalConnectError(details: unknown): boolean {
  if (typeof details !== "object" || details === null) return false;
  // Members of an object from the wire; each is compared, none is trusted.
  const { code, pauseReconnect, recommendedNextStep, canRetryWithDeviceToken } = details as Record<
    string,
    unknown
  >;
  if (typeof code !== "string") return false;
  if (code === "PAIRING_REQUIRED") {
    return pauseReconnect !== false && recommendedNextStep !== "wait_then_retry";
  }
  if (code === "AUTH_TOKEN_MISMATCH") return canRetryWithDeviceToken !== true;
  return FINAL_CODES.has(code);
}
