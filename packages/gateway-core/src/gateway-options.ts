import {
  HANDSHAKE_TIMEOUT_MS,
  MAX_BUFFERED_BYTES,
  MAX_FRAME_BYTES,
  MAX_PREAUTH_CONNECTIONS_PER_IP,
  MAX_PREAUTH_FRAME_BYTES,
  TICK_INTERVAL_MS,
} from "@openclaw/protocol";
import { type ThrottleOptions, resolveThrottleOptions } from "./auth/throttle/throttle-options.ts";
import type { TailnetUser } from "./auth/tailnet-identity.ts";
import type { TrustedProxyAuth } from "./auth/trusted-proxy.ts";
import { GatewayStartError } from "./errors.ts";
import { type EdgeRules, resolveEdge } from "./listener/edge-rules.ts";
import { type Logger, silentLogger } from "./logger.ts";
import { createMemoryStore } from "./store/memory-store.ts";
import type { Store } from "./store/store.ts";

/** How peers prove that they may come in. `none` is for loopback only. */
export type GatewayAuth =
  | { mode: "token"; token: string }
  | { mode: "password"; password: string }
  | { mode: "none" }
  | TrustedProxyAuth;

/** Each queue and size has a limit, and each limit an outcome. */
export interface GatewayLimits {
  /** Largest frame before `connect` has succeeded; larger closes with 1009. @default 65_536 */
  maxPreauthFrameBytes: number;
  /** Largest frame afterwards; larger closes with 1009. @default 26_214_400 */
  maxFrameBytes: number;
  /** Unsent bytes at which a peer counts as slow: droppable events are skipped, others close it with 1008. @default 52_428_800 */
  maxBufferedBytes: number;
  /** Unsent bytes at which the Gateway stops reading that peer's requests until it has caught up. @default 1_048_576 */
  highWaterMarkBytes: number;
  /** Sockets of one address that have not yet connected; one more is answered 503. @default 32 */
  maxPreauthConnectionsPerIp: number;
  /** Sockets of all other machines that have not yet connected; one more is answered 503. @default 1_024 */
  maxPreauthConnections: number;
  /** From open to hello; later closes with 1000. A request before it may take as long. @default 15_000 */
  handshakeTimeoutMs: number;
  /** Requests of one connection that are not yet answered; one more is `UNAVAILABLE`, retryable. @default 1_024 */
  maxRequestsInFlight: number;
  /** Invocations that one node has not yet answered; one more is `UNAVAILABLE`, retryable. @default 1_024 */
  maxInvocationsPerNode: number;
  /** Device requests that wait for an operator; the oldest gives way. @default 200 */
  maxPendingDevices: number;
}

export const defaultLimits: GatewayLimits = {
  maxPreauthFrameBytes: MAX_PREAUTH_FRAME_BYTES,
  maxFrameBytes: MAX_FRAME_BYTES,
  maxBufferedBytes: MAX_BUFFERED_BYTES,
  highWaterMarkBytes: 1_048_576,
  maxPreauthConnectionsPerIp: MAX_PREAUTH_CONNECTIONS_PER_IP,
  maxPreauthConnections: 1_024,
  handshakeTimeoutMs: HANDSHAKE_TIMEOUT_MS,
  maxRequestsInFlight: 1_024,
  maxInvocationsPerNode: 1_024,
  maxPendingDevices: 200,
};

/** What this Gateway's program knows of the ways to it; asked anew for each setup code. */
export interface SetupAddresses {
  /** `ws:` and `wss:` addresses, the best first. */
  urls(): readonly string[];
  /** SHA-256 of the certificate that the Gateway itself shows. */
  tlsFingerprint?(): string | undefined;
}

export interface GatewayOptions {
  /** The shared secret, or `none`. */
  auth: GatewayAuth;
  /** Where pairing and invocations are kept. The Gateway closes it when it closes. @default a memory store */
  store?: Store;
  /** Shown to peers as `server.version`. @default this package's version */
  serverVersion?: string;
  limits?: Partial<GatewayLimits>;
  /** A peer silent for `intervalMs` is pinged; silent for as long again, it is gone. @default 5_000 */
  keepalive?: { intervalMs?: number };
  /** Interval of the `tick` event. @default 30_000 */
  tickIntervalMs?: number;
  nodes?: {
    /** Exact command names added to, or taken from, what each platform may do; deny wins. */
    commands?: { allow?: readonly string[]; deny?: readonly string[] };
    /** How long a node may stay away before what it left open is recorded as interrupted. @default 7 days */
    abandonAfterMs?: number;
    pairing?: {
      /** Peers on this machine with a valid secret and no forwarding headers pair without an operator. @default true */
      autoApproveLocal?: boolean;
    };
  };
  /**
   * Browser origins that may connect besides pages of this machine and of the private address that
   * they connect to; `*` is all of them. @default none
   */
  allowedOrigins?: readonly string[];
  /** Lets any page connect that was loaded from the name it connects to; opens DNS rebinding. @default false */
  dangerouslyAllowHostHeaderOrigin?: boolean;
  /**
   * Names under which browsers may ask for this Gateway, besides addresses, `localhost` and the hosts
   * of `allowedOrigins`; `.example` is every name below. Programs may use any name. @default none
   */
  allowedHosts?: readonly string[];
  /**
   * Addresses and CIDR ranges of proxies in front. Only they may say whom they forward for; a
   * request of anybody else that says so is refused. @default none
   */
  trustedProxies?: readonly string[];
  /** Takes the client's address from `X-Real-IP` where a trusted proxy sets nothing else. @default false */
  allowRealIpFallback?: boolean;
  /**
   * Tailscale Serve or Funnel on this machine is in front. With `whois`, operators that come through
   * Serve may be let in by who they are; without it, they bring a secret as everybody does.
   * @default nothing of the kind
   */
  tailnet?: { whois?: (address: string) => Promise<TailnetUser | undefined> };
  /** The `Strict-Transport-Security` header of answers over TLS. @default none */
  strictTransportSecurity?: string;
  /** How failed authentication is slowed down; it always is. See {@link ThrottleOptions}. */
  throttle?: Partial<ThrottleOptions>;
  /** What setup codes say of the way here; without it each request for one has to name the address. */
  setup?: SetupAddresses;
  /** How long `close` lets running requests finish. @default 2_000 */
  drainTimeoutMs?: number;
  logger?: Logger;
  /** The clock, in epoch milliseconds. @default Date.now */
  now?: () => number;
  /**
   * See every frame that leaves, and every frame of an accepted peer that arrives, as text. For audits,
   * logs and tests; cost nothing when absent. `connId` is absent before the handshake is done.
   */
  hooks?: {
    frameSent?: (text: string, connId?: string) => void;
    frameReceived?: (text: string, connId: string) => void;
  };
}

export interface ResolvedGatewayOptions {
  readonly throttle: ThrottleOptions;
  readonly setup: SetupAddresses | undefined;
  readonly auth: GatewayAuth;
  readonly store: Store;
  readonly serverVersion: string;
  readonly limits: GatewayLimits;
  readonly keepaliveIntervalMs: number;
  readonly tickIntervalMs: number;
  readonly allowCommands: ReadonlySet<string>;
  readonly denyCommands: ReadonlySet<string>;
  readonly abandonAfterMs: number;
  readonly autoApproveLocal: boolean;
  readonly edge: EdgeRules;
  readonly drainTimeoutMs: number;
  readonly logger: Logger;
  readonly now: () => number;
  readonly frameSent: ((text: string, connId?: string) => void) | undefined;
  readonly frameReceived: ((text: string, connId: string) => void) | undefined;
}

/** The version of this package; the build replaces it. */
export const PACKAGE_VERSION = "0.1.0";

/** Checks the options and fills in defaults; the caller's object stays as it was. */
export function resolveGatewayOptions(options: GatewayOptions): ResolvedGatewayOptions {
  const auth = resolveAuth(options.auth);
  const limits = { ...defaultLimits, ...options.limits };
  for (const [name, value] of Object.entries(limits)) requirePositive(`limits.${name}`, value);
  const keepaliveIntervalMs = options.keepalive?.intervalMs ?? 5_000;
  requirePositive("keepalive.intervalMs", keepaliveIntervalMs);
  const abandonAfterMs = options.nodes?.abandonAfterMs ?? 7 * 24 * 3_600_000;
  requirePositive("nodes.abandonAfterMs", abandonAfterMs);
  const tickIntervalMs = options.tickIntervalMs ?? TICK_INTERVAL_MS;
  requirePositive("tickIntervalMs", tickIntervalMs);
  return {
    throttle: resolveThrottleOptions(options.throttle),
    setup: options.setup,
    auth,
    store: options.store ?? createMemoryStore(),
    serverVersion: options.serverVersion ?? PACKAGE_VERSION,
    limits,
    keepaliveIntervalMs,
    tickIntervalMs,
    allowCommands: new Set(options.nodes?.commands?.allow),
    denyCommands: new Set(options.nodes?.commands?.deny),
    abandonAfterMs,
    autoApproveLocal: options.nodes?.pairing?.autoApproveLocal ?? true,
    edge: resolveEdge(options),
    drainTimeoutMs: options.drainTimeoutMs ?? 2_000,
    logger: options.logger ?? silentLogger,
    now: options.now ?? Date.now,
    frameSent: options.hooks?.frameSent,
    frameReceived: options.hooks?.frameReceived,
  };
}

/** Checks how peers prove that they may come in; the caller's object stays as it was. */
export function resolveAuth(auth: GatewayAuth): GatewayAuth {
  if (auth.mode === "token") requireSecret("auth.token", auth.token);
  else if (auth.mode === "password") requireSecret("auth.password", auth.password);
  else if (auth.mode === "trusted-proxy") {
    if (auth.password !== undefined) requireSecret("auth.password", auth.password);
  } else if (auth.mode !== "none") {
    throw new GatewayStartError(
      "OPTIONS_INVALID",
      "auth.mode is not one of token, password, none, trusted-proxy",
    );
  }
  return { ...auth };
}

function requireSecret(name: string, value: unknown): void {
  if (typeof value !== "string" || value.trim() === "") {
    throw new GatewayStartError("OPTIONS_INVALID", `${name} is empty`, {
      hint: "Pass a secret of at least 24 characters, or choose another auth mode.",
    });
  }
}

function requirePositive(name: string, value: number): void {
  if (!Number.isFinite(value) || value <= 0) {
    throw new GatewayStartError(
      "OPTIONS_INVALID",
      `${name} must be a number above 0, not ${value}`,
    );
  }
}
