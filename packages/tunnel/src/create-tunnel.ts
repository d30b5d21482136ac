import type { Duplex } from "node:stream";
import type { Destination } from "./engines/engine.ts";
import { TunnelError } from "./errors.ts";
import { type ForwardListener, openForwardListener } from "./forwards/listener.ts";
import { type ResolvedForward, resolveForward } from "./forwards/parse-forward.ts";
import { findPortHolder } from "./forwards/port-holder.ts";
import { silentLogger } from "./logger.ts";
import { checkOptions, openConnection, resolveRoute, type Route } from "./prepare.ts";
import { endOrphans, type Orphans } from "./supervision/orphans.ts";
import { type Supervisor, supervise } from "./supervision/supervisor.ts";
import { parseSshTarget, type SshTarget } from "./target.ts";
import { defaultTunnelOptions } from "./tunnel-defaults.ts";
import type { TunnelState } from "./tunnel-state.ts";
import type { OpenForward, Tunnel, TunnelDestination, TunnelOptions } from "./tunnel.ts";

/**
 * A tunnel that begins to connect at once and comes back by itself. Returns without waiting; see
 * {@link Tunnel.opened}. A cause that another attempt can cure is tried again from the start.
 *
 * @param target as `parseSshTarget` reads it
 * @throws {@link TunnelError} `INVALID_TARGET`, `INVALID_OPTION`
 */
export function createTunnel(target: string | SshTarget, options: TunnelOptions = {}): Tunnel {
  const parsed = typeof target === "string" ? parseSshTarget(target) : target;
  checkOptions(options);
  const specs = (options.forwards ?? []).map(resolveForward);
  const {
    logger = silentLogger,
    signal,
    waitTimeoutMs = defaultTunnelOptions.waitTimeoutMs,
  } = options;
  const opened = Promise.withResolvers<void>();
  opened.promise.catch(() => {});
  const closed = Promise.withResolvers<TunnelError | undefined>();
  const ending = new AbortController();
  const expecting = new Set<PromiseWithResolvers<void>>();
  let state: TunnelState = { kind: "connecting", attempt: 1, generation: 0 };
  let listeners: readonly ForwardListener[] = [];
  let supervisor: Supervisor | undefined;
  let closing: Promise<void> | undefined;
  const starting = start().catch((error: unknown) => finish(asTunnelError(error)));

  async function start(): Promise<void> {
    const route = await resolveRoute(parsed, options, ending.signal);
    const forwards = options.configuredForwards
      ? [...specs, ...route.settings.localForwards.map(resolveForward)]
      : specs;
    const orphans = await endOrphans(options.stateDirectory, logger);
    await listen(forwards, orphans);
    if (closing) return;
    supervisor = supervise({
      ...defaultTunnelOptions,
      backoff: { ...defaultTunnelOptions.backoff, ...options.backoff },
      stableAfterMs: options.stableAfterMs ?? defaultTunnelOptions.stableAfterMs,
      waitTimeoutMs,
      maxWaiting: options.maxWaiting ?? defaultTunnelOptions.maxWaiting,
      reconnect: options.reconnect ?? true,
      random: options.random ?? Math.random,
      logger,
      open: connector(route, forwards),
      onState: stateChanged,
      onLost: () => {
        for (const listener of listeners) listener.closeConnections();
      },
    });
    // Whoever was told of its first state may have closed the tunnel at once.
    if (closing) await supervisor.close();
    void supervisor.closed.then(finish);
  }

  /** Reads ssh_config anew for each attempt after the first: the network may be another. */
  function connector(
    first: Route,
    forwards: readonly ResolvedForward[],
  ): (signal: AbortSignal, failures: number) => ReturnType<typeof openConnection> {
    const destinations = forwards.map(destinationOf);
    let route = first;
    let isFirst = true;
    return async (attemptSignal, failures) => {
      const isReturning = !isFirst;
      if (isReturning) {
        try {
          route = await resolveRoute(parsed, options, attemptSignal);
        } catch (error) {
          logger.warn(
            { err: error },
            "the ssh config cannot be read now; the former one still counts",
          );
        }
      }
      isFirst = false;
      const patience = isReturning ? { maxConnectMs: returnTimeoutMs(failures) } : {};
      return openConnection(route, options, destinations, attemptSignal, patience);
    };
  }

  async function listen(
    forwards: readonly ResolvedForward[],
    orphans: Orphans | undefined,
  ): Promise<void> {
    const made: ForwardListener[] = [];
    listeners = made;
    for (const forward of forwards) {
      if (closing) return;
      // One after the other, so that the first busy port is the one that is named.
      // oxlint-disable-next-line no-await-in-loop
      const listener = await openForwardListener(forward, {
        connect: connectTo,
        fallbackPort: options.fallbackPort ?? false,
        logger,
        findHolder: (port, host) =>
          findPortHolder(port, { host, isOwnOrphan: async (pid) => orphans?.isOne(pid) ?? false }),
      });
      if (closing) await listener.close();
      else made.push(listener);
    }
  }

  function stateChanged(next: TunnelState): void {
    // The tunnel is closed when its listeners are, too.
    if (next.kind === "closed") return;
    state = next;
    if (next.kind === "open") {
      opened.resolve();
      for (const one of expecting) one.resolve();
    }
    tell(next);
  }

  function tell(next: TunnelState): void {
    try {
      options.onState?.(next);
    } catch (error) {
      logger.error({ err: error }, "a listener for the state of a tunnel has thrown");
    }
  }

  async function connectTo(
    destination: Destination,
    { signal: given }: { signal?: AbortSignal | undefined } = {},
  ): Promise<Duplex> {
    const startedAt = performance.now();
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop
      const connection = await whenOpen(given);
      try {
        // oxlint-disable-next-line no-await-in-loop
        return await connection.connect(destination, { signal: given });
      } catch (error) {
        if (!(error instanceof TunnelError) || error.code !== "CONNECTION_LOST") throw error;
        if (options.reconnect === false) throw error;
        // It may even be what ends each connection.
        if (performance.now() - startedAt >= waitTimeoutMs) throw error;
        // Nothing of it has reached the far side's program; the next connection takes it up.
        // oxlint-disable-next-line no-await-in-loop
        await connection.closed;
      }
    }
  }

  async function whenOpen(given: AbortSignal | undefined): ReturnType<Supervisor["whenOpen"]> {
    given?.throwIfAborted();
    if (supervisor === undefined) await starting;
    if (supervisor === undefined || closing) throw closeCause();
    return supervisor.whenOpen(given);
  }

  async function ready({
    signal: given,
  }: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    given?.throwIfAborted();
    if (state.kind === "open") return;
    if (state.kind === "closed") throw closeCause();
    const waiting = Promise.withResolvers<void>();
    const abort = (): void => waiting.reject(given?.reason);
    expecting.add(waiting);
    given?.addEventListener("abort", abort, { once: true });
    try {
      await waiting.promise;
    } finally {
      given?.removeEventListener("abort", abort);
      expecting.delete(waiting);
    }
  }

  function closeCause(): TunnelError {
    const cause = state.kind === "closed" ? state.cause : undefined;
    return cause ?? new TunnelError("CLOSED", "the tunnel is closed.");
  }

  function finish(cause: TunnelError | undefined): Promise<void> {
    closing ??= (async () => {
      signal?.removeEventListener("abort", close);
      const error = cause ?? new TunnelError("CLOSED", "the tunnel is closed.");
      ending.abort(error);
      // The ports first: nobody may come in any more.
      await Promise.all([...listeners.map((listener) => listener.close()), supervisor?.close()]);
      state = { kind: "closed", cause };
      opened.reject(error);
      for (const one of expecting) one.reject(error);
      closed.resolve(cause);
      tell(state);
    })();
    return closing;
  }

  function close(): Promise<void> {
    return finish(undefined);
  }

  if (signal?.aborted) void close();
  else signal?.addEventListener("abort", close, { once: true });

  return {
    target: parsed,
    get state() {
      return state;
    },
    get forwards() {
      return listeners.map(openForwardOf);
    },
    opened: () => opened.promise,
    ready,
    connect: async (destination, given) => connectTo(toDestination(destination), given),
    async run(command, given) {
      const connection = await whenOpen(given?.signal);
      return connection.run(command, given);
    },
    async probe() {
      await supervisor?.probe();
    },
    close,
    closed: closed.promise,
    [Symbol.asyncDispose]: close,
  };
}

/** An attempt to come back is given this long at first, and more with each one that fails. */
const RETURN_TIMEOUT_MS = 2_000;

/**
 * An attempt that began while the far side was away may wait for an answer that will never come, and
 * meanwhile the far side is back: a fresh one is answered at once.
 */
function returnTimeoutMs(failures: number): number {
  return RETURN_TIMEOUT_MS * 1.5 ** Math.min(Math.max(0, failures - 1), 10);
}

function toDestination(destination: TunnelDestination): Destination {
  if ("socketPath" in destination) {
    if (destination.socketPath !== "") return { socketPath: destination.socketPath };
    throw new TunnelError("INVALID_OPTION", "an empty path is no socket.");
  }
  const { host = "127.0.0.1", port } = destination;
  if (host === "") throw new TunnelError("INVALID_OPTION", "an empty name is no host.");
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new TunnelError("INVALID_OPTION", `${port} is no port; 1 to 65535 are.`);
  }
  return { host, port };
}

function destinationOf({ remote }: ResolvedForward): Destination {
  return "path" in remote ? { socketPath: remote.path } : remote;
}

function openForwardOf(listener: ForwardListener): OpenForward {
  const { local, remote, insteadOf, connections, waiting, bytesIn, bytesOut } = listener;
  return { local, remote, insteadOf, connections, waiting, bytesIn, bytesOut };
}

function asTunnelError(error: unknown): TunnelError {
  if (error instanceof TunnelError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new TunnelError("CONNECTION_LOST", `the tunnel cannot start: ${message}.`, {
    cause: error,
  });
}
