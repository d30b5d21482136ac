import {
  CLOSE,
  CLOSE_REASON,
  encodeRequest,
  MAX_BUFFERED_BYTES,
  MAX_FRAME_BYTES,
  TICK_INTERVAL_MS,
} from "@openclaw/protocol";
import { GatewayError, RemoteError } from "../errors.ts";
import { parseChallenge } from "../handshake/connect-params.ts";
import { parseInboundFrame } from "./inbound-frame.ts";
import { watchLiveness } from "./liveness.ts";
import { createPendingRequests } from "./pending-requests.ts";
import { createSequenceTracker } from "./sequence-tracker.ts";
import { dialFailure, lostConnection, notAGateway } from "./transport-failure.ts";
import type { EventFrame, HelloOk, RawJson, ResponseFrame } from "@openclaw/protocol";
import type { SequenceGap } from "../client-state.ts";
import type { RemoteErrorShape } from "../errors.ts";
import type { ConnectChallenge } from "../handshake/connect-params.ts";
import type { Logger } from "../logger.ts";
import type { Transport, TransportClose } from "../transport/transport.ts";
import type { Liveness } from "./liveness.ts";

/** Why a connection ended; the last thing it tells. */
export type ConnectionEnd =
  /** The Gateway answered `connect` with an error. */
  | { readonly kind: "refused"; readonly refusal: RemoteErrorShape }
  /** It ended before the hello, for `error`. */
  | { readonly kind: "failed"; readonly error: GatewayError }
  /** It ended after the hello, for `error`. */
  | { readonly kind: "lost"; readonly error: GatewayError };

export interface ConnectionOptions {
  readonly endpoint: string;
  readonly transport: Transport;
  readonly connectTimeoutMs: number;
  /** Pings after this much silence; `undefined` sends none. */
  readonly pingIntervalMs: number | undefined;
  readonly maxInFlight: number;
  readonly now: () => number;
  readonly logger: Logger;
  /** Params of `connect` for the Gateway's challenge. */
  buildConnect(challenge: ConnectChallenge): Promise<object>;
  onHello(hello: HelloOk): void;
  /**
   * An operator has to decide first. `refusal` is what the answer would be now; it follows within
   * `waitMs`, on this connection.
   */
  onWaiting(refusal: RemoteErrorShape, waitMs: number): void;
  onEvent(frame: EventFrame): void;
  onGap(gap: SequenceGap): void;
  /** Called once, at the end. */
  onEnd(end: ConnectionEnd): void;
}

export interface SendOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly expectFinal: boolean;
}

/** One socket from dial to end. */
export interface Connection {
  request(method: string, params: unknown, options: SendOptions): Promise<unknown>;
  requestRaw(method: string, params: RawJson, options: SendOptions): Promise<unknown>;
  /** Ends it without a word to `onEnd`; requests in flight reject with `error`. */
  close(code: number, reason: string, error: GatewayError): void;
  /** Resolves when the transport is gone as well. */
  readonly gone: Promise<void>;
}

/*
 *             opened             challenge           hello
 *   dialling ───────▶ greeted ──────────▶ proving ──────────▶ open
 *       └────────────────┴───────────────────┴─────────────────┴──▶ ended
 */
type Phase = "dialling" | "greeted" | "proving" | "open" | "ended";

/** Longer than this no Gateway keeps a handshake open. */
const MAX_DECISION_WAIT_MS = 300_000;

export function openConnection(options: ConnectionOptions): Connection {
  const { endpoint, transport, now } = options;
  const pending = createPendingRequests(now);
  const gone = Promise.withResolvers<void>();
  let phase: Phase = "dialling";
  let lastId = 0;
  let connectId: string | undefined;
  let liveness: Liveness | undefined;
  let trackSequence = createSequenceTracker(0);
  let maxFrameBytes = MAX_FRAME_BYTES;
  let maxBufferedBytes = MAX_BUFFERED_BYTES;

  let connectTimer: NodeJS.Timeout;
  const limitHandshake = (timeoutMs: number): void => {
    clearTimeout(connectTimer);
    connectTimer = setTimeout(() => tookTooLong(timeoutMs), timeoutMs);
  };
  limitHandshake(options.connectTimeoutMs);

  function tookTooLong(timeoutMs: number): void {
    const waitedFor =
      phase === "dialling" ? "the connection" : phase === "greeted" ? "its challenge" : "its hello";
    const error = new GatewayError(
      "CONNECT_TIMEOUT",
      `${endpoint}: no answer within ${timeoutMs} ms, still waiting for ${waitedFor}`,
      { hint: "Check host and port, and whether the Gateway is overloaded." },
    );
    if (phase === "dialling") transport.terminate();
    else transport.close(CLOSE.CLIENT_TIMEOUT, CLOSE_REASON.CONNECT_TIMEOUT);
    end({ kind: "failed", error });
  }

  function end(how: ConnectionEnd, requestError?: GatewayError): void {
    if (phase === "ended") return;
    settle(requestError ?? (how.kind === "refused" ? lostError(how.refusal.message) : how.error));
    options.onEnd(how);
  }

  function settle(error: GatewayError): void {
    phase = "ended";
    clearTimeout(connectTimer);
    liveness?.stop();
    pending.failAll(error);
  }

  function lostError(reason: string): GatewayError {
    return lostConnection(endpoint, "during the handshake", {
      code: CLOSE.POLICY_VIOLATION,
      reason,
      error: undefined,
    });
  }

  function closed(close: TransportClose): void {
    const wasPhase = phase;
    if (wasPhase === "open") {
      const error = lostConnection(endpoint, "after the handshake", close);
      end({ kind: "lost", error });
    } else if (wasPhase !== "ended") {
      end({ kind: "failed", error: dialFailure(endpoint, wasPhase !== "dialling", close) });
    }
    gone.resolve();
  }

  function fail(code: number, reason: string, error: GatewayError): void {
    transport.close(code, reason);
    end({ kind: "failed", error });
  }

  function frameArrived(text: string): void {
    if (phase === "ended") return;
    liveness?.frameSeen();
    const frame = parseInboundFrame(text);
    if (!frame) return malformed();
    if (frame.type === "event") eventArrived(frame);
    else if (phase === "open") answerArrived(frame);
    else if (phase === "proving" && frame.id === connectId) helloArrived(frame);
  }

  function malformed(): void {
    if (phase === "open") {
      options.logger.warn({ endpoint }, "dropped a frame that is neither a response nor an event");
      return;
    }
    fail(
      CLOSE.POLICY_VIOLATION,
      CLOSE_REASON.CONNECT_FAILED,
      notAGateway(endpoint, "it sent something else than frames"),
    );
  }

  function eventArrived(frame: EventFrame): void {
    if (frame.event === "connect.challenge") {
      if (phase === "greeted") challenged(frame.payload);
      return;
    }
    if (frame.event === "device.pair.waiting") {
      if (phase === "proving") waitForDecision(frame.payload);
      return;
    }
    const gap = trackSequence(frame.seq);
    if (gap) options.onGap(gap);
    options.onEvent(frame);
  }

  function challenged(payload: unknown): void {
    const challenge = parseChallenge(payload);
    if (!challenge) {
      const error = new GatewayError(
        "HANDSHAKE_REJECTED",
        `${endpoint} sent an unusable challenge`,
      );
      return fail(CLOSE.POLICY_VIOLATION, CLOSE_REASON.CHALLENGE_MISSING_NONCE, error);
    }
    phase = "proving";
    options.buildConnect(challenge).then(
      (params) => {
        if (phase !== "proving") return;
        connectId = String(++lastId);
        transport.send(encodeRequest(connectId, "connect", params));
      },
      (cause: unknown) => {
        const error =
          cause instanceof GatewayError
            ? cause
            : new GatewayError("HANDSHAKE_REJECTED", "cannot build the handshake", {
                cause,
                final: true,
              });
        if (phase === "proving") fail(CLOSE.POLICY_VIOLATION, CLOSE_REASON.CONNECT_FAILED, error);
      },
    );
  }

  function waitForDecision(payload: unknown): void {
    const { error, waitMs } = (payload ?? {}) as { error?: unknown; waitMs?: unknown };
    const ms = Math.min(positive(waitMs) ?? 0, MAX_DECISION_WAIT_MS);
    limitHandshake(ms + options.connectTimeoutMs);
    options.onWaiting(errorShapeOf(error), ms);
  }

  function helloArrived(frame: ResponseFrame): void {
    if (!frame.ok) {
      transport.close(CLOSE.POLICY_VIOLATION, CLOSE_REASON.CONNECT_FAILED);
      return end({ kind: "refused", refusal: errorOf(frame) });
    }
    // The rest of the hello is read where it is used, with a fallback for what an older peer omits.
    const hello = frame.payload as HelloOk;
    if (typeof hello !== "object" || hello === null) {
      return fail(
        CLOSE.POLICY_VIOLATION,
        CLOSE_REASON.CONNECT_FAILED,
        notAGateway(endpoint, "its hello is empty"),
      );
    }
    phase = "open";
    clearTimeout(connectTimer);
    trackSequence = createSequenceTracker(hello.protocol ?? 0);
    maxFrameBytes = positive(hello.policy?.maxPayload) ?? MAX_FRAME_BYTES;
    maxBufferedBytes = positive(hello.policy?.maxBufferedBytes) ?? MAX_BUFFERED_BYTES;
    liveness = watchLiveness(transport, {
      intervalMs: options.pingIntervalMs,
      tickIntervalMs: positive(hello.policy?.tickIntervalMs) ?? TICK_INTERVAL_MS,
      onSilent: () => {
        transport.terminate();
        const error = new GatewayError("CONNECTION_LOST", `${endpoint} has gone silent`, {
          closeCode: 1006,
        });
        end({ kind: "lost", error });
      },
      onTickTimeout: () => {
        transport.close(CLOSE.CLIENT_TIMEOUT, CLOSE_REASON.TICK_TIMEOUT);
        const error = new GatewayError("CONNECTION_LOST", `${endpoint} sends no ticks any more`, {
          closeCode: CLOSE.CLIENT_TIMEOUT,
        });
        end({ kind: "lost", error });
      },
    });
    try {
      options.onHello(hello);
    } catch (cause) {
      // Whoever answers so must not bring down the program that asked.
      const error = notAGateway(endpoint, `its hello makes no sense (${String(cause)})`);
      fail(CLOSE.POLICY_VIOLATION, CLOSE_REASON.CONNECT_FAILED, error);
    }
  }

  function answerArrived(frame: ResponseFrame): void {
    const request = pending.get(frame.id);
    // Late: the request has timed out or was given up.
    if (!request) return;
    if (request.expectFinal && frame.ok && isAcceptance(frame.payload)) return;
    pending.take(frame.id);
    if (frame.ok) request.resolve(frame.payload);
    else request.reject(new RemoteError(request.method, errorOf(frame)));
  }

  function request(method: string, params: unknown, send: SendOptions): Promise<unknown> {
    const { signal } = send;
    // An aborted operation rejects with the reason, whatever that is.
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors
    if (signal?.aborted) return Promise.reject(signal.reason);
    const refused = admit();
    if (refused) return Promise.reject(refused);
    const id = String(++lastId);
    return new Promise((resolve, reject) => {
      const text = encodeRequest(id, method, params);
      if (exceeds(text, maxFrameBytes)) return reject(tooLarge(method, maxFrameBytes));
      const abort = (): void => {
        pending.take(id);
        // oxlint-disable-next-line typescript/prefer-promise-reject-errors
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", abort, { once: true });
      const release = signal && (() => signal.removeEventListener("abort", abort));
      const { timeoutMs, expectFinal } = send;
      pending.add(id, { method, resolve, reject, timeoutMs, expectFinal, release });
      transport.send(text);
    });
  }

  function admit(): GatewayError | undefined {
    if (phase !== "open")
      return new GatewayError("CONNECTION_LOST", `not connected to ${endpoint}`);
    if (pending.size >= options.maxInFlight) {
      return new GatewayError(
        "BACKPRESSURE",
        `${pending.size} requests wait for an answer already`,
      );
    }
    if (transport.bufferedBytes > maxBufferedBytes) {
      return new GatewayError(
        "BACKPRESSURE",
        `${transport.bufferedBytes} bytes wait to be sent already`,
      );
    }
    return undefined;
  }

  transport.listen({
    opened: () => {
      if (phase === "dialling") phase = "greeted";
    },
    frame: frameArrived,
    closed,
  });

  return {
    request,
    requestRaw: request,
    close(code, reason, error) {
      if (phase === "dialling") transport.terminate();
      else transport.close(code, reason);
      if (phase !== "ended") settle(error);
    },
    gone: gone.promise,
  };
}

function errorOf(frame: ResponseFrame): RemoteErrorShape {
  return errorShapeOf(frame.error);
}

function errorShapeOf(error: unknown): RemoteErrorShape {
  if (typeof error !== "object" || error === null) {
    return { code: "UNAVAILABLE", message: "the Gateway gave no reason" };
  }
  const { code, message, details, retryable, retryAfterMs } = error as Record<string, unknown>;
  return {
    code: typeof code === "string" ? code : "UNAVAILABLE",
    message: typeof message === "string" ? message : "the Gateway gave no reason",
    details,
    retryable: retryable === true,
    retryAfterMs: positive(retryAfterMs),
  };
}

/** First of the two answers of a method that answers twice. */
function isAcceptance(payload: unknown): boolean {
  return (
    typeof payload === "object" &&
    payload !== null &&
    "status" in payload &&
    payload.status === "accepted"
  );
}

function positive(value: unknown): number | undefined {
  return typeof value === "number" && value > 0 && Number.isFinite(value) ? value : undefined;
}

/** Measures only when the text could be too large: a UTF-16 unit takes one to three bytes. */
function exceeds(text: string, limitBytes: number): boolean {
  if (text.length > limitBytes) return true;
  return text.length * 3 > limitBytes && new TextEncoder().encode(text).length > limitBytes;
}

function tooLarge(method: string, limitBytes: number): GatewayError {
  return new GatewayError(
    "REQUEST_TOO_LARGE",
    `${method}: the request is larger than the ${limitBytes} bytes this Gateway accepts`,
  );
}
