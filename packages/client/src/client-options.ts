import { defaultBackoff } from "./reconnect/backoff.ts";
import { silentLogger } from "./logger.ts";
import { createWsTransport } from "./transport/ws-transport.ts";
import type { AttemptFailure } from "./client-state.ts";
import type { BackoffOptions } from "./reconnect/backoff.ts";
import type { DeviceIdentity } from "./identity/device-identity.ts";
import type { DeviceTokenStore } from "./identity/device-token-store.ts";
import type { Logger } from "./logger.ts";
import type { TransportFactory } from "./transport/transport.ts";

/** How the peer presents itself; ids and modes are closed lists of the wire. */
export interface ClientInfo {
  /** @default "gateway-client"; "node-host" for nodes */
  id?: string | undefined;
  /** @default "backend"; "node" for nodes */
  mode?: string | undefined;
  /** @default version of this package */
  version?: string | undefined;
  displayName?: string | undefined;
  /** @default "linux", "macos" or "windows" */
  platform?: string | undefined;
  /** @default "Linux", "Mac" or "Windows" for nodes; otherwise not sent */
  deviceFamily?: string | undefined;
  modelIdentifier?: string | undefined;
  instanceId?: string | undefined;
}

/** Pings on a line that has been silent. */
export interface KeepaliveOptions {
  /**
   * Silence before a ping, and again before the connection is given up as dead. Any received byte
   * is life, so a large frame on a slow line is never cut. @default 5_000
   */
  intervalMs?: number | undefined;
}

/** Options of {@link createGatewayClient} and {@link connectGateway}. */
export interface GatewayClientOptions {
  /** Gateway address, `ws:` or `wss:`. `ws:` without a port means 18789. */
  url: string;
  /** Shared token of the Gateway. Goes before a stored device token. */
  token?: string | undefined;
  /** Shared password of the Gateway. */
  password?: string | undefined;
  /** A device token given by hand; otherwise the one in `deviceStore` is used. */
  deviceToken?: string | undefined;
  /** Signs the handshake. Without one the client is device-less. @default false */
  identity?: DeviceIdentity | false | undefined;
  /** Where issued device tokens are kept, per endpoint and role. @default kept in memory */
  deviceStore?: DeviceTokenStore | undefined;
  /** @default "operator" */
  role?: "operator" | "node" | undefined;
  /** Scopes to ask for. @default [] */
  scopes?: readonly string[] | undefined;
  client?: ClientInfo | undefined;
  caps?: readonly string[] | undefined;
  /** Commands that a node declares. */
  commands?: readonly string[] | undefined;
  /** Permissions that a node declares. */
  permissions?: Readonly<Record<string, boolean>> | undefined;
  /** PATH that a node reports. */
  pathEnv?: string | undefined;
  /** Oldest protocol to offer. @default 3 for nodes and probes, otherwise 4 and then 3 where asked */
  minProtocol?: number | undefined;
  /** Newest protocol to offer. @default 4 */
  maxProtocol?: number | undefined;
  /** How long the dial and the handshake may take together. @default 15_000 */
  connectTimeoutMs?: number | undefined;
  /** Deadline of a request that names none. @default 30_000 */
  requestTimeoutMs?: number | undefined;
  /** `false` sends no pings; the tick watchdog stays. */
  keepalive?: KeepaliveOptions | false | undefined;
  /** Pauses between attempts. @default 1 s doubling to 30 s, with full jitter */
  backoff?: Partial<BackoffOptions> | undefined;
  /** A connection that stood this long starts the backoff anew. @default 10_000 */
  stableAfterMs?: number | undefined;
  /** Comes back after a lost connection, and waits for pairing. @default true */
  reconnect?: boolean | undefined;
  /** Requests that may wait for an answer at once; more fail with `BACKPRESSURE`. @default 65_536 */
  maxInFlight?: number | undefined;
  /** Allows plaintext `ws:` to a host that is not private. @default false */
  allowInsecureUrl?: boolean | undefined;
  /** SHA-256 of the only certificate to accept on `wss:`. A certificate pinned so needs no authority. */
  tlsFingerprint?: string | undefined;
  /** Closes the client. */
  signal?: AbortSignal | undefined;
  logger?: Logger | undefined;
  /** Told of every failed attempt and every lost connection, with the cause. */
  onAttempt?: ((failure: AttemptFailure) => void) | undefined;
  /** @default a WebSocket */
  transport?: TransportFactory | undefined;
  /** Monotonic milliseconds. @default performance.now */
  now?: (() => number) | undefined;
  /** Source of jitter, 0 ≤ x < 1. @default Math.random */
  random?: (() => number) | undefined;
}
