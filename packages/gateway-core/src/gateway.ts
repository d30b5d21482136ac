import { randomUUID } from "node:crypto";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { CLOSE, DEFAULT_GATEWAY_PORT } from "@openclaw/protocol";
import { asksForTailnetIdentity, verifyTailnetIdentity } from "./auth/tailnet-identity.ts";
import type { IdentityVerdict } from "./auth/identity-verdict.ts";
import { acceptPeer } from "./connections/accept-peer.ts";
import { createFailureLog } from "./auth/throttle/failure-log.ts";
import { createThrottle } from "./auth/throttle/throttle.ts";
import { createConnectionTable } from "./connections/connection-table.ts";
import { createKeepalive } from "./connections/keepalive.ts";
import { WebSocketPeer } from "./connections/websocket-peer.ts";
import { GatewayStartError } from "./errors.ts";
import { createBroadcaster } from "./events/broadcaster.ts";
import { createPresence } from "./events/presence.ts";
import type { GatewayContext } from "./gateway-context.ts";
import { type GatewayOptions, resolveGatewayOptions } from "./gateway-options.ts";
import { type ConnectDecision, decideConnect } from "./handshake/decide-connect.ts";
import { beginHandshake } from "./handshake/handshake.ts";
import { type Refusal, refuse } from "./handshake/refusal.ts";
import { createHealth } from "./health.ts";
import { isLoopback } from "./listener/address-list.ts";
import { createHttpAnswers } from "./listener/http-answers.ts";
import {
  type GatewayAddress,
  type Listener,
  type ListenOptions,
  listenHttp,
} from "./listener/http-listener.ts";
import { createPace } from "./listener/pace.ts";
import { createRefusalLog } from "./listener/refusal-log.ts";
import { createUpgrader } from "./listener/upgrade.ts";
import { type GatewayChanges, createUpdater } from "./live-update.ts";
import { gatewayMethods } from "./methods/gateway-methods.ts";
import type { GatewayCaller } from "./methods/gateway-method.ts";
import type { Method } from "./methods/method.ts";
import { createMethodTable } from "./methods/method-table.ts";
import { createCatalogue } from "./nodes/catalogue.ts";
import { createCommandPolicy } from "./nodes/command-policy.ts";
import { createInvokeBroker } from "./nodes/invoke-broker.ts";
import { createDeviceRegistry } from "./pairing/device-registry.ts";
import { createDeviceTokens } from "./pairing/device-tokens.ts";
import { createPairingService } from "./pairing/pairing-service.ts";
import { createPairingWaits } from "./pairing/pairing-waits.ts";
import { createSetupCodes } from "./pairing/setup-codes.ts";
import { resolveAnswer } from "./resolve-answer.ts";

const HEALTH_BROADCAST_MS = 60_000;
/** How often invocations of nodes that never came back are looked for. */
const SWEEP_MS = 3_600_000;
/** A request before the handshake may take so long at least: it waits while this process is busy. */
const MIN_REQUEST_MS = 3_000;
/** After the closing handshake was offered, how long a peer may take to answer it. */
const CLOSE_GRACE_MS = 1_000;

export interface CloseOptions {
  /** Told to peers in the `shutdown` event. @default "shutdown" */
  reason?: string;
  /** When peers may expect the Gateway again, in milliseconds from now. @default nobody knows */
  restartExpectedMs?: number;
}

/** A Gateway: pairing, node invocation and events, on a port of its own or on a server of yours. */
export interface Gateway extends AsyncDisposable {
  /**
   * Listens on one address, by default 127.0.0.1:18789. Call it again for each further address. When
   * it throws, the addresses that it listens on already stay.
   * @throws {GatewayStartError} `PORT_IN_USE`, `BIND_REFUSED`
   */
  listen(options?: ListenOptions): Promise<GatewayAddress>;
  /**
   * Takes WebSocket upgrades of your http server; its requests stay yours. `path` limits it to one
   * path, so that other sockets may live beside it. Returns what detaches it again.
   */
  attach(server: Server, options?: { path?: string }): () => void;
  /**
   * Puts other options into effect while it runs. A changed secret ends, with close code 4001, the
   * connections that came in by the former one; those of device tokens stay.
   * @throws {GatewayStartError} `OPTIONS_INVALID`, `BIND_REFUSED`, and then nothing has changed
   */
  update(changes: GatewayChanges): void;
  /** Answers the probe endpoints; false when the request was for something else. */
  handleRequest(request: IncomingMessage, response: ServerResponse): boolean;
  /**
   * Calls a method from inside, with all rights.
   * @throws {RequestError} as a peer would be answered
   */
  call(method: string, params?: unknown): Promise<unknown>;
  /**
   * Adds a method of your own. Peers that are connected already learn of it when they reconnect.
   * @throws {GatewayStartError} `METHOD_CONFLICT`
   */
  method(method: Method): void;
  /** Sends an event to all operators that may read. */
  broadcast(event: string, payload: unknown): void;
  /** All methods, as the documentation lists them. */
  readonly methods: readonly Omit<Method, "handler">[];
  /** Where it listens, first; undefined before `listen` and when attached. */
  readonly address: GatewayAddress | undefined;
  /** Everywhere it listens, in the order of the calls of `listen`. */
  readonly addresses: readonly GatewayAddress[];
  /**
   * Stops taking work, lets what runs finish for `drainTimeoutMs`, tells peers, and closes the
   * store. Idempotent. What has not finished stays in the ledger and is found again after a restart.
   */
  close(options?: CloseOptions): Promise<void>;
}

/**
 * Creates a Gateway. It reads no file, environment or argument; all it needs stands in the options.
 *
 * @throws {GatewayStartError} `OPTIONS_INVALID`, `STORE_UNREADABLE`
 */
export function createGateway(options: GatewayOptions): Gateway {
  const resolved = resolveGatewayOptions(options);
  const { logger, now, limits, store } = resolved;
  const startedAtMs = now();
  const bootId = randomUUID();

  const connections = createConnectionTable();
  const events = createBroadcaster(connections);
  const devices = createDeviceRegistry({
    store,
    now,
    maxPending: limits.maxPendingDevices,
    logger,
  });
  const tokens = createDeviceTokens(store);
  const policy = createCommandPolicy({
    allow: resolved.allowCommands,
    deny: resolved.denyCommands,
  });
  const catalogue = createCatalogue({ devices, connections, pairing: () => pairing });
  const setups = createSetupCodes({ store, now });
  const waits = createPairingWaits({ maxWaiting: limits.maxPendingDevices });
  const throttle = createThrottle(resolved.throttle, { now });
  const authFailures = createFailureLog({ logger, now });
  const pairing = createPairingService({
    setups,
    waits,
    devices,
    connections,
    events,
    now,
    describeSurfaceRequest: catalogue.pendingEntry,
  });
  const broker = createInvokeBroker({
    ledger: store.ledger,
    now,
    maxPerNode: limits.maxInvocationsPerNode,
    abandonAfterMs: resolved.abandonAfterMs,
    logger,
  });
  const health = createHealth({ now });
  const presence = createPresence({
    connections,
    events,
    serverVersion: resolved.serverVersion,
    now,
    stateVersion: () => ({ presence: presence.version, health: health.version }),
  });
  const context: GatewayContext = {
    options: resolved,
    connections,
    devices,
    tokens,
    pairing,
    setups,
    catalogue,
    policy,
    broker,
    events,
    presence,
    health,
    startedAtMs,
  };
  const methods = createMethodTable(gatewayMethods, () => context);
  const keepalive = createKeepalive({
    intervalMs: resolved.keepaliveIntervalMs,
    now,
    onDead: (socket) => socket.terminate(),
  });

  let phase: "open" | "draining" | "closed" = "open";
  const listeners: Listener[] = [];
  let attached = false;
  const detachers = new Set<() => void>();
  const handshakes = new Set<WebSocketPeer>();
  let nextEpoch = 1;

  const tick = setInterval(() => events.broadcast("tick", { ts: now() }), resolved.tickIntervalMs);
  const healthBeat = setInterval(() => {
    const version = { presence: presence.version, health: health.version };
    events.broadcast("health", health.summary(), {}, version);
  }, HEALTH_BROADCAST_MS);
  broker.sweep();
  const sweep = setInterval(broker.sweep, SWEEP_MS);
  sweep.unref();
  tick.unref();
  healthBeat.unref();

  const onRefused = createRefusalLog({ logger, now });
  const pace = createPace();
  const upgrader = createUpgrader({
    maxFrameBytes: limits.maxFrameBytes,
    maxPreauthConnectionsPerIp: limits.maxPreauthConnectionsPerIp,
    maxPreauthConnections: limits.maxPreauthConnections,
    floodMs: throttle.floodMs,
    pace,
    isClosed: () => phase !== "open",
    rules: () => resolved.edge,
    onRefused,
    onSocket(ws, socket, origin) {
      const peer = new WebSocketPeer(ws, socket, limits.maxPreauthFrameBytes);
      handshakes.add(peer);
      let holdsPlace = true;
      const leavePlace = (): void => {
        if (holdsPlace) upgrader.release(origin.address);
        holdsPlace = false;
      };
      peer.owner = beginHandshake(peer, origin, {
        timeoutMs: limits.handshakeTimeoutMs,
        now,
        frameSent: resolved.frameSent,
        logger,
        unavailable: () => (phase === "open" ? undefined : shuttingDown()),
        decide(params, { nonce }) {
          const { whois } = resolved.edge;
          const judge = (tailnetIdentity?: IdentityVerdict): ConnectDecision =>
            decideConnect(params, {
              options: resolved,
              devices,
              tokens,
              pairing,
              setups,
              throttle,
              authFailures,
              policy,
              origin,
              nonce,
              tailnetIdentity,
            });
          return whois && asksForTailnetIdentity(params, origin)
            ? verifyTailnetIdentity(origin, whois).then(judge)
            : judge();
        },
        accept: (accepted, live, sendHello) =>
          acceptPeer(accepted, live, {
            gateway: context,
            methods,
            keepalive,
            epoch: nextEpoch++,
            bootId,
            isDraining: () => phase !== "open",
            sendHello,
          }),
        pace,
        waits,
        parked: leavePlace,
        ended() {
          handshakes.delete(peer);
          leavePlace();
        },
      });
    },
  });

  const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void =>
    upgrader.handle(request, socket, head);

  const http = createHttpAnswers({
    rules: () => resolved.edge,
    onRefused,
    probeFacts: () => ({
      version: resolved.serverVersion,
      uptimeMs: now() - startedAtMs,
      failing: phase === "open" ? [] : ["draining"],
      started: listeners.length > 0 || attached,
    }),
  });
  const update = createUpdater({
    options,
    resolved,
    connections,
    policy,
    throttle,
    pairing,
    mayListenWithoutSecret: () => listeners.every((listener) => listener.isLoopback),
  });

  function requireListenable(host: string): void {
    if (phase !== "open") throw new GatewayStartError("CLOSED", "the Gateway has been closed");
    if (resolved.auth.mode !== "none" || isLoopback(host)) return;
    throw new GatewayStartError("BIND_REFUSED", `auth.mode none on ${host} would let anyone in`, {
      hint: "Set a token or a password, or listen on 127.0.0.1.",
    });
  }

  let closing: Promise<void> | undefined;

  async function shutDown({ reason = "shutdown", restartExpectedMs }: CloseOptions) {
    phase = "draining";
    for (const detach of detachers) detach();
    const serversClosed = Promise.all(listeners.map((listener) => listener.close()));
    for (const peer of handshakes) peer.close(CLOSE.SERVICE_RESTART, "service restart");
    await drained(() => [...connections.all()].every((peer) => peer.requestsInFlight === 0), {
      timeoutMs: resolved.drainTimeoutMs,
    });
    phase = "closed";
    events.broadcast("shutdown", {
      reason,
      ...(restartExpectedMs === undefined ? {} : { restartExpectedMs }),
    });
    for (const connection of connections.all())
      connection.close(CLOSE.SERVICE_RESTART, "service restart");
    await drained(() => connections.size === 0, { timeoutMs: CLOSE_GRACE_MS });
    for (const connection of connections.all()) connection.terminate();
    // Whoever has opened a connection and not finished a request would hold us up for a minute.
    for (const listener of listeners) listener.closeAllConnections();
    clearInterval(tick);
    clearInterval(healthBeat);
    clearInterval(sweep);
    keepalive.stop();
    presence.stop();
    health.stop();
    await serversClosed;
    broker.close();
    authFailures.close();
    devices.close();
    await store.close();
    logger.info({ reason }, "gateway closed");
  }

  const close = (closeOptions: CloseOptions = {}): Promise<void> =>
    (closing ??= shutDown(closeOptions));

  return {
    async listen({ port = DEFAULT_GATEWAY_PORT, host = "127.0.0.1", ...more } = {}) {
      requireListenable(host);
      const patienceMs = Math.max(limits.handshakeTimeoutMs, MIN_REQUEST_MS);
      const listener = await listenHttp({ port, host, ...more, patienceMs }, http.answer);
      try {
        // It may have been closed or changed meanwhile, knowing nothing of this address.
        requireListenable(host);
      } catch (error) {
        await listener.close();
        throw error;
      }
      listener.server.on("upgrade", onUpgrade);
      listeners.push(listener);
      const { address } = listener;
      logger.info({ url: address.url, auth: resolved.auth.mode }, "gateway listening");
      return address;
    },
    attach(server, { path } = {}) {
      const listener = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
        if (path === undefined || (request.url ?? "/").split("?", 1)[0] === path)
          onUpgrade(request, socket, head);
      };
      const detach = (): void => {
        server.off("upgrade", listener);
        detachers.delete(detach);
      };
      server.on("upgrade", listener);
      detachers.add(detach);
      attached = true;
      return detach;
    },
    update,
    handleRequest: http.handleRequest,
    call: async (method, params) => resolveAnswer(await methods.call(method, params, EMBEDDER)),
    method: methods.add,
    broadcast: (event, payload) => events.broadcast(event, payload, { scope: "operator.read" }),
    get methods() {
      return methods.all();
    },
    get address() {
      return listeners[0]?.address;
    },
    get addresses() {
      return listeners.map(({ address }) => address);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The program that embeds the Gateway holds every right. */
const EMBEDDER: GatewayCaller = {
  role: "operator",
  scopes: ["operator.admin"],
  deviceId: undefined,
  connection: undefined,
};

function shuttingDown(): Refusal {
  const refusal = refuse("gateway restarting; retry shortly", {
    code: "UNAVAILABLE",
    details: { method: "connect", reason: "gateway-restarting", phase: "draining" },
    retryable: true,
    closeCode: CLOSE.TRY_AGAIN_LATER,
    closeReason: "gateway restart in progress",
  });
  refusal.error.retryAfterMs = 1_000;
  return refusal;
}

/** Waits until `isDone`, looking often, but no longer than the timeout. */
async function drained(isDone: () => boolean, { timeoutMs }: { timeoutMs: number }): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!isDone() && performance.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 10));
}
