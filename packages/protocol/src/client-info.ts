/** Values of `client.id`. Peers refuse any other with a schema error. */
export const CLIENT_IDS = [
  "webchat-ui",
  "openclaw-control-ui",
  "openclaw-browser-copilot",
  "openclaw-tui",
  "webchat",
  "cli",
  "gateway-client",
  "openclaw-macos",
  "openclaw-linux",
  "openclaw-ios",
  "openclaw-watchos",
  "openclaw-android",
  "node-host",
  "openclaw-worker",
  "test",
  "fingerprint",
  "openclaw-probe",
] as const;

/** What kind of program connects. */
export type ClientId = (typeof CLIENT_IDS)[number];

/** Values of `client.mode`. Peers refuse any other with a schema error. */
export const CLIENT_MODES = [
  "webchat",
  "cli",
  "ui",
  "backend",
  "node",
  "worker",
  "probe",
  "test",
] as const;

/** What a program connects for. */
export type ClientMode = (typeof CLIENT_MODES)[number];

/** The two sides of a Gateway: who asks, and who executes. */
export type Role = "operator" | "node";

/**
 * Declared by a node that keeps a durable record of its invocations: it answers a key that it knows
 * from that record, and calls `node.invoke.sync` after its hello.
 */
export const CAP_INVOKE_LEDGER = "invoke-ledger";

/** Declared by an operator that wants `node.invoke.progress` events for the keys it waits on. */
export const CAP_INVOKE_PROGRESS = "invoke-progress";

/**
 * Offered by a Gateway in its challenge, and declared by a client that wants it: a device that has to
 * wait for an operator is answered when it is decided. See `device.pair.waiting`.
 */
export const CAP_PAIRING_WAIT = "pairing-wait";

/**
 * Offered by a Gateway in its challenge: a paired device that has nothing but its key may come in by
 * it, if it signs with it which host it has dialled. See {@link deviceKeyClaim}.
 */
export const CAP_DEVICE_KEY = "device-key";
