/** WebSocket close codes of the protocol. */
export const CLOSE = {
  /** Done; also a handshake that took too long, or text before it that is not JSON. */
  NORMAL: 1000,
  /** The version ranges do not overlap. */
  PROTOCOL_ERROR: 1002,
  /** A refused `connect`, an invalid first frame, a slow consumer, a superseded connection. */
  POLICY_VIOLATION: 1008,
  /** A frame above the limit of its phase. */
  MESSAGE_TOO_BIG: 1009,
  /** A failure inside the Gateway. */
  INTERNAL_ERROR: 1011,
  /** The Gateway stops or restarts, or a node starts its handshake anew; reconnect soon. */
  SERVICE_RESTART: 1012,
  /** The Gateway is starting or suspending; the error says when to try again. */
  TRY_AGAIN_LATER: 1013,
  /** A client heard nothing for too long. */
  CLIENT_TIMEOUT: 4000,
  /** The credentials or the device behind a connection changed; reconnect with new ones. */
  AUTH_CHANGED: 4001,
  /** What a browser sends in place of 1008, which it may not. */
  BROWSER_CONNECT_FAILED: 4008,
} as const;

/** One of the codes of {@link CLOSE}. */
export type CloseCode = (typeof CLOSE)[keyof typeof CLOSE];

/**
 * Reason texts that peers read, byte for byte. A refused `connect` repeats its error message as the
 * reason instead.
 */
export const CLOSE_REASON = {
  PROTOCOL_MISMATCH: "protocol mismatch",
  INVALID_FRAME: "invalid request frame",
  FIRST_REQUEST: "invalid handshake: first request must be connect",
  TOO_MANY_HANDSHAKE_FRAMES: "too many pending handshake frames",
  SLOW_CONSUMER: "slow consumer",
  UNAUTHORIZED_CALLS: "repeated unauthorized calls",
  /** Ours: the same device has connected again. Final for the connection that hears it. */
  SUPERSEDED: "superseded by a newer connection",
  SERVICE_RESTART: "service restart",
  GATEWAY_STARTING: "gateway starting",
  AUTH_CHANGED: "gateway auth changed",
  POLICY_CHANGED: "gateway policy changed",
  DEVICE_REMOVED: "device removed",
  TICK_TIMEOUT: "tick timeout",
  CONNECT_TIMEOUT: "connect timeout",
  CONNECT_FAILED: "connect failed",
  CHALLENGE_TIMEOUT: "connect challenge timeout",
  CHALLENGE_MISSING_NONCE: "connect challenge missing nonce",
  CONNECT_RETRY: "connect retry",
} as const;

/** Longest close reason in UTF-8 bytes; a close frame itself would carry 123. */
const MAX_CLOSE_REASON_BYTES = 120;

/** A close reason cut to 120 UTF-8 bytes, between two characters. */
export function truncateCloseReason(text: string): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += utf8Bytes(character);
    if (bytes > MAX_CLOSE_REASON_BYTES) return text.slice(0, end);
    end += character.length;
  }
  return text;
}

/** A lone surrogate is sent as U+FFFD, which takes three bytes like its neighbours. */
function utf8Bytes(character: string): number {
  const codePoint = character.codePointAt(0) ?? 0;
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x1_00_00 ? 3 : 4;
}
