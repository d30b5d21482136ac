import type { SshConnection } from "../engines/engine.ts";
import { TunnelError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { TunnelState } from "../tunnel-state.ts";
import { backoffDelayMs, type BackoffOptions } from "./backoff.ts";
import { createWaitingRoom } from "./waiting-room.ts";
import { watchForWake } from "./wake.ts";

export interface SupervisorOptions {
  /**
   * One attempt; leaves nothing behind when it fails.
   *
   * @param failures attempts that failed before this one, since the last good connection
   */
  readonly open: (signal: AbortSignal, failures: number) => Promise<SshConnection>;
  readonly reconnect: boolean;
  readonly backoff: BackoffOptions;
  readonly stableAfterMs: number;
  readonly waitTimeoutMs: number;
  readonly maxWaiting: number;
  readonly probeTimeoutMs: number;
  readonly random: () => number;
  readonly logger: Logger;
  readonly onState: (state: TunnelState) => void;
  /** What went through a connection that is gone has to end. */
  readonly onLost: (cause: TunnelError | undefined) => void;
}

/** Keeps one connection open. */
export interface Supervisor {
  readonly state: TunnelState;
  /** The connection, as soon as there is one. */
  whenOpen(signal: AbortSignal | undefined): Promise<SshConnection>;
  /** Asks for a sign of life, or tries again now instead of after the pause. */
  probe(): Promise<void>;
  close(): Promise<void>;
  readonly closed: Promise<TunnelError | undefined>;
}

/**
 * The one owner of a connection: one attempt at a time, and each with a number, so that what a former
 * one still says is dropped.
 *
 * ```text
 *   connecting ──▶ open ──▶ waiting ──▶ connecting …
 *        │                     ▲
 *        └─────────────────────┘       every state ──▶ draining ──▶ closed
 * ```
 */
export function supervise(options: SupervisorOptions): Supervisor {
  const { logger } = options;
  const closed = Promise.withResolvers<TunnelError | undefined>();
  const room = createWaitingRoom<SshConnection>(
    { timeoutMs: options.waitTimeoutMs, max: options.maxWaiting },
    () => (state.kind === "waiting" ? state.cause : undefined),
  );
  let state: TunnelState = { kind: "connecting", attempt: 1, generation: 1 };
  let generation = 0;
  let failures = 0;
  let awaySince = performance.now();
  let openSince = 0;
  let connection: SshConnection | undefined;
  let attempt: AbortController | undefined;
  let running: Promise<void> = Promise.resolve();
  let retryTimer: ReturnType<typeof setTimeout> | undefined;
  let closing: Promise<void> | undefined;
  const stopWatchingForWake = watchForWake(() => {
    logger.info({}, "this machine has slept; asking for a sign of life");
    probe().catch(() => {});
  });

  function setState(next: TunnelState): void {
    state = next;
    options.onState(next);
  }

  async function connect(): Promise<void> {
    const mine = ++generation;
    const controller = new AbortController();
    attempt = controller;
    setState({ kind: "connecting", attempt: failures + 1, generation: mine });
    try {
      const opened = await options.open(controller.signal, failures);
      if (mine !== generation || closing) {
        opened.terminate();
        await opened.closed;
        return;
      }
      isOpen(opened, mine);
    } catch (error) {
      if (mine === generation && !closing) failed(asTunnelError(error));
    }
  }

  function isOpen(opened: SshConnection, mine: number): void {
    connection = opened;
    openSince = performance.now();
    void opened.closed.then((cause) => lost(opened, cause));
    setState({ kind: "open", since: Date.now(), generation: mine, engine: opened.info });
    room.admit(opened);
  }

  function lost(former: SshConnection, cause: TunnelError | undefined): void {
    if (former !== connection) return;
    connection = undefined;
    options.onLost(cause);
    if (closing) return;
    if (performance.now() - openSince >= options.stableAfterMs) failures = 0;
    awaySince = performance.now();
    failed(cause ?? new TunnelError("CONNECTION_LOST", "the connection has ended."));
  }

  function failed(cause: TunnelError): void {
    failures += 1;
    if (cause.final || !options.reconnect) {
      void end(cause);
      return;
    }
    const outage = {
      failures,
      lastedMs: performance.now() - awaySince,
      wasRefused: cause.code === "AGENT_LOCKED",
    };
    const delayMs = backoffDelayMs(outage, options.backoff, options.random);
    logger.debug({ err: cause, attempt: failures, delayMs }, "the tunnel is not open");
    retryTimer = setTimeout(retry, delayMs);
    setState({
      kind: "waiting",
      attempt: failures,
      generation,
      retryAt: Date.now() + delayMs,
      cause,
    });
  }

  function retry(): void {
    clearTimeout(retryTimer);
    running = connect();
  }

  async function probe(): Promise<void> {
    if (closing) return;
    if (state.kind === "waiting") retry();
    await connection?.probe(options.probeTimeoutMs);
  }

  async function end(cause: TunnelError | undefined): Promise<void> {
    if (closing) return closing;
    closing = (async () => {
      clearTimeout(retryTimer);
      stopWatchingForWake();
      const error = cause ?? closedError();
      room.fail(error);
      attempt?.abort(error);
      const last = connection;
      if (last) {
        setState({ kind: "draining", deadline: Date.now() + DRAIN_MS });
        await last.close();
      }
      await running;
      connection = undefined;
      setState({ kind: "closed", cause });
      closed.resolve(cause);
    })();
    return closing;
  }

  running = connect();

  return {
    get state() {
      return state;
    },
    whenOpen(signal) {
      if (connection) return Promise.resolve(connection);
      if (closing) {
        const cause = state.kind === "closed" ? state.cause : undefined;
        return Promise.reject(cause ?? closedError());
      }
      return room.wait(signal);
    },
    probe,
    close: () => end(undefined),
    closed: closed.promise,
  };
}

/** What an engine takes at most to say goodbye. */
const DRAIN_MS = 500;

function asTunnelError(error: unknown): TunnelError {
  if (error instanceof TunnelError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new TunnelError("CONNECTION_LOST", `cannot connect: ${message}.`, { cause: error });
}

function closedError(): TunnelError {
  return new TunnelError("CLOSED", "the tunnel is closed.");
}
