import { defaultBackoff } from "./reconnect/backoff.ts";
import { CLIENT_VERSION } from "./client-version.ts";
import { createMemoryTokenStore } from "./identity/device-token-store.ts";
import { silentLogger } from "./logger.ts";
import { createWsTransport } from "./transport/ws-transport.ts";
import type { ClientId, ClientMode } from "@openclaw/protocol";
import type { CarrierReadyFunction, DialFunction } from "./carrier/dial.ts";
import type { AttemptFailure } from "./client-state.ts";
import type { BackoffOptions } from "./reconnect/backoff.ts";
import type { DeviceIdentity } from "./identity/device-identity.ts";
import type { DeviceTokenStore } from "./identity/device-token-store.ts";
import type { Logger } from "./logger.ts";
import type { TransportFactory } from "./transport/transport.ts";

/** How the peer presents itself; ids and modes are closed lists of the wire. */
export interface ClientInfo {
  /** @default "gateway-client"; "node-host" for nodes */
  id?: ClientId | undefined;
  /** @default "backend"; "node" for nodes */
  mode?: ClientMode | undefined;
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
  /**
   * The one-time token of a setup code. Presented alone, until a hello has issued a device token in
   * its place. Needs an `identity`, which it is then bound to.
   */
  bootstrapToken?: string | undefined;
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
  /** How long the dial and the handshake may take together; after a `dial`, the handshake. @default 15_000 */
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
  /**
   * What to recognise the Gateway by on `wss:`, instead of asking an authority: SHA-256 of its
   * certificate, 64 hex digits, colons and case ignored; or of its public key, `sha256//<base64>` as
   * curl writes it, which a renewed certificate keeps. Two of them where one is to follow the other.
   * A pinned certificate may be self-signed, have expired, and name other hosts. Checked before the
   * first byte is sent; another certificate ends the client with `TLS_PIN_MISMATCH`. With `ws:` it is
   * refused: nothing would be checked.
   */
  tlsFingerprint?: string | readonly string[] | undefined;
  /** Closes the client. */
  signal?: AbortSignal | undefined;
  logger?: Logger | undefined;
  /** Told of every failed attempt and every lost connection, with the cause. */
  onAttempt?: ((failure: AttemptFailure) => void) | undefined;
  /**
   * Opens the stream on which the WebSocket, and for `wss:` TLS, runs: a channel of an SSH
   * connection, for example. No local port is opened and no name looked up here, and `ws:` may name
   * any host, because the bytes do not go there in the clear; who gives this vouches for the way.
   * `connectTimeoutMs` counts from the stream on.
   */
  dial?: DialFunction | undefined;
  /**
   * Tells when the carrier behind `dial` is there. While it is away the client has no backoff of its
   * own: it waits for this, and dials within 250 ms once the carrier is back. It waits for at most
   * `backoff.maxMs` and then dials all the same, so that a signal that was lost delays it and no
   * more. Where the carrier is there, the backoff is what it is without this, except that the first
   * loss of a stable connection is followed within 250 ms. Only with `dial`.
   */
  carrierReady?: CarrierReadyFunction | undefined;
  /**
   * What device tokens are kept under, and what messages call the Gateway, such as
   * `ssh://me@box:22/18789`. Needed with `dial`, where the same URL leads to different Gateways:
   * without it `deviceStore` is not used there. @default host and port of `url`
   */
  endpointKey?: string | undefined;
  /** @default a WebSocket */
  transport?: TransportFactory | undefined;
  /** Monotonic milliseconds. @default performance.now */
  now?: (() => number) | undefined;
  /** Source of jitter, 0 ≤ x < 1. @default Math.random */
  random?: (() => number) | undefined;
}

/** The `client` member of the handshake. */
export interface ResolvedClientInfo {
  readonly id: string;
  readonly mode: string;
  readonly version: string;
  readonly platform: string;
  readonly displayName?: string;
  readonly deviceFamily?: string;
  readonly modelIdentifier?: string;
  readonly instanceId?: string;
}

/** {@link GatewayClientOptions} with every default filled in. */
export interface ResolvedGatewayClientOptions {
  readonly url: string;
  readonly token: string | undefined;
  readonly password: string | undefined;
  readonly deviceToken: string | undefined;
  readonly bootstrapToken: string | undefined;
  readonly identity: DeviceIdentity | undefined;
  readonly deviceStore: DeviceTokenStore;
  readonly role: "operator" | "node";
  readonly scopes: readonly string[];
  readonly client: ResolvedClientInfo;
  readonly caps: readonly string[];
  readonly commands: readonly string[] | undefined;
  readonly permissions: Readonly<Record<string, boolean>> | undefined;
  readonly pathEnv: string | undefined;
  readonly minProtocol: number | undefined;
  readonly maxProtocol: number | undefined;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly pingIntervalMs: number | undefined;
  readonly backoff: BackoffOptions;
  readonly stableAfterMs: number;
  readonly reconnect: boolean;
  readonly maxInFlight: number;
  readonly allowInsecureUrl: boolean;
  readonly tlsFingerprint: readonly string[] | undefined;
  readonly signal: AbortSignal | undefined;
  readonly logger: Logger;
  readonly onAttempt: ((failure: AttemptFailure) => void) | undefined;
  readonly dial: DialFunction | undefined;
  readonly carrierReady: CarrierReadyFunction | undefined;
  readonly endpointKey: string | undefined;
  readonly transport: TransportFactory;
  readonly now: () => number;
  readonly random: () => number;
}

/** Defaults of {@link GatewayClientOptions} that do not depend on the role. */
export const defaultClientOptions = {
  connectTimeoutMs: 15_000,
  requestTimeoutMs: 30_000,
  pingIntervalMs: 5_000,
  stableAfterMs: 10_000,
  maxInFlight: 65_536,
} as const;

/** Fills in the defaults; the caller's object is left as it was. */
export function resolveGatewayClientOptions(
  options: GatewayClientOptions,
): ResolvedGatewayClientOptions {
  const role = options.role ?? "operator";
  return {
    url: options.url,
    token: emptyToUndefined(options.token),
    password: emptyToUndefined(options.password),
    deviceToken: emptyToUndefined(options.deviceToken),
    bootstrapToken: options.identity ? emptyToUndefined(options.bootstrapToken) : undefined,
    identity: options.identity || undefined,
    deviceStore: resolveDeviceStore(options),
    role,
    scopes: [...(options.scopes ?? [])],
    client: resolveClientInfo(role, options.client ?? {}),
    caps: [...(options.caps ?? [])],
    commands: options.commands && [...options.commands],
    permissions: options.permissions && { ...options.permissions },
    pathEnv: options.pathEnv,
    minProtocol: options.minProtocol,
    maxProtocol: options.maxProtocol,
    connectTimeoutMs: options.connectTimeoutMs ?? defaultClientOptions.connectTimeoutMs,
    requestTimeoutMs: options.requestTimeoutMs || defaultClientOptions.requestTimeoutMs,
    pingIntervalMs:
      options.keepalive === false
        ? undefined
        : (options.keepalive?.intervalMs ?? defaultClientOptions.pingIntervalMs),
    backoff: {
      baseMs: options.backoff?.baseMs ?? defaultBackoff.baseMs,
      maxMs: options.backoff?.maxMs ?? defaultBackoff.maxMs,
    },
    stableAfterMs: options.stableAfterMs ?? defaultClientOptions.stableAfterMs,
    reconnect: options.reconnect ?? true,
    maxInFlight: options.maxInFlight ?? defaultClientOptions.maxInFlight,
    allowInsecureUrl: options.allowInsecureUrl ?? false,
    tlsFingerprint: resolvePins(options.tlsFingerprint),
    signal: options.signal,
    logger: options.logger ?? silentLogger,
    onAttempt: options.onAttempt,
    dial: options.dial,
    carrierReady: options.dial && options.carrierReady,
    endpointKey: emptyToUndefined(options.endpointKey),
    transport: options.transport ?? createWsTransport,
    now: options.now ?? (() => performance.now()),
    random: options.random ?? Math.random,
  };
}

/** A token of the Gateway behind one carrier must not be offered to that behind another. */
function resolveDeviceStore({
  deviceStore,
  dial,
  endpointKey,
}: GatewayClientOptions): DeviceTokenStore {
  if (deviceStore === undefined || (dial && !endpointKey)) return createMemoryTokenStore();
  return deviceStore;
}

function resolveClientInfo(role: "operator" | "node", info: ClientInfo): ResolvedClientInfo {
  const host = hostPlatform();
  const deviceFamily = info.deviceFamily ?? (role === "node" ? host.deviceFamily : undefined);
  return {
    id: info.id ?? (role === "node" ? "node-host" : "gateway-client"),
    mode: info.mode ?? (role === "node" ? "node" : "backend"),
    version: info.version ?? CLIENT_VERSION,
    platform: info.platform ?? host.platform,
    // Undefined members would still count as present in a closed schema that is checked in process.
    ...(info.displayName && { displayName: info.displayName }),
    ...(deviceFamily && { deviceFamily }),
    ...(info.modelIdentifier && { modelIdentifier: info.modelIdentifier }),
    ...(info.instanceId && { instanceId: info.instanceId }),
  };
}

/** Names that the command policy of every generation recognises. */
function hostPlatform(): { platform: string; deviceFamily?: string } {
  const platform = globalThis.process?.platform ?? "browser";
  if (platform === "darwin") return { platform: "macos", deviceFamily: "Mac" };
  if (platform === "win32") return { platform: "windows", deviceFamily: "Windows" };
  if (platform === "linux") return { platform: "linux", deviceFamily: "Linux" };
  return { platform };
}

function resolvePins(given: string | readonly string[] | undefined): readonly string[] | undefined {
  const pins = (typeof given === "string" ? [given] : (given ?? [])).filter((pin) => pin !== "");
  return pins.length === 0 ? undefined : pins;
}

/** An unset variable often arrives as an empty string; an empty secret is none. */
function emptyToUndefined(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}
