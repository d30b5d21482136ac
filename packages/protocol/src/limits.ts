/** The port a Gateway listens on unless told otherwise. */
export const DEFAULT_GATEWAY_PORT = 18_789;

/** Largest frame a peer may send before its `connect` has succeeded; above it the socket closes with 1009. */
export const MAX_PREAUTH_FRAME_BYTES = 65_536;

/** Largest frame a connected peer may send, and a client accepts. */
export const MAX_FRAME_BYTES = 26_214_400;

/** Bytes waiting on a socket before its reader counts as slow. */
export const MAX_BUFFERED_BYTES = 52_428_800;

/** Time from the opening of a socket to its `hello-ok`. */
export const HANDSHAKE_TIMEOUT_MS = 15_000;

/** Interval of the `tick` event; a client that hears nothing for twice this long closes. */
export const TICK_INTERVAL_MS = 30_000;

/** Sockets of one address that may wait for authentication at once; more are answered HTTP 503. */
export const MAX_PREAUTH_CONNECTIONS_PER_IP = 32;

/** Deadline of a `node.invoke` that names none. */
export const DEFAULT_INVOKE_TIMEOUT_MS = 30_000;

/** Longest deadline of a `node.invoke`: a day. */
export const MAX_INVOKE_TIMEOUT_MS = 86_400_000;

/** Longest piece of live output, and of input, in characters. */
export const MAX_PROGRESS_CHUNK_CHARS = 16_384;

/** How long a pairing request waits for a decision; a repeat of the request starts it anew. */
export const PAIRING_REQUEST_TTL_MS = 300_000;

/** What `logs.tail` answers with at most, and when nothing else is asked for. */
export const logsTailLimits = {
  lines: { most: 5_000, default: 500 },
  bytes: { most: 1_000_000, default: 250_000 },
} as const;

/** Deepest nesting of arrays and objects in a frame, the frame itself counted as the first level. */
export const MAX_JSON_DEPTH = 200;

/**
 * The deadline of an invocation, by the one rule of every hop: absent and 0 mean
 * {@link DEFAULT_INVOKE_TIMEOUT_MS}, anything longer than {@link MAX_INVOKE_TIMEOUT_MS} means that.
 */
export function resolveInvokeTimeoutMs(timeoutMs: number | undefined): number {
  // Written so that NaN and negative numbers fall to the default too.
  if (timeoutMs === undefined || !(timeoutMs > 0)) return DEFAULT_INVOKE_TIMEOUT_MS;
  return Math.min(Math.ceil(timeoutMs), MAX_INVOKE_TIMEOUT_MS);
}
