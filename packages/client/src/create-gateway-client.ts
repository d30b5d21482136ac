import { CLOSE, MAX_FRAME_BYTES } from "@openclaw/protocol";
import { carrierFailure, startDial } from "./carrier/dial.ts";
import { resolveGatewayClientOptions } from "./client-options.ts";
import { openConnection } from "./connection/connection.ts";
import { resolveRequestTimeoutMs } from "./connection/request-timeout.ts";
import { GatewayError } from "./errors.ts";
import { checkGatewayUrl } from "./gateway-url.ts";
import { createNegotiator } from "./handshake/negotiator.ts";
import { pinFault } from "./pin-fault.ts";
import { requestIdOf } from "./handshake/refusal.ts";
import { createListeners } from "./listeners.ts";
import { expectedRestart, withRestartHint } from "./reconnect/restart-notice.ts";
import { createRetryPause } from "./reconnect/retry-pause.ts";
import type { Duplex } from "node:stream";
import type { EventFrame, HelloOk, RawJson } from "@openclaw/protocol";
import type { DialFunction } from "./carrier/dial.ts";
import type { GatewayClientOptions } from "./client-options.ts";
import type { RemoteErrorShape } from "./errors.ts";
import type { CloseInfo, GatewayClientState } from "./client-state.ts";
import type { Connection, ConnectionEnd, SendOptions } from "./connection/connection.ts";
import type { GatewayClient, RequestOptions } from "./gateway-client.ts";
import type { CheckedGatewayUrl } from "./gateway-url.ts";
import type { Negotiator } from "./handshake/negotiator.ts";
import type { Transport } from "./transport/transport.ts";

interface Target {
  readonly address: CheckedGatewayUrl;
  readonly negotiator: Negotiator;
}

/**
 * A client that connects when told to, and by default comes back by itself after a lost connection.
 * It has one running attempt; what an earlier one still does is ignored. With `dial` an attempt
 * begins with a stream of the carrier, and the pauses follow the carrier: one loop, not two.
 *
 * ```text
 *   idle ──▶ connecting ──▶ open ──▶ waiting ──▶ connecting …
 *                │  ▲
 *                ▼  │ asks again until an operator has approved
 *              pairing                      every state ──▶ closed
 * ```
 */
export function createGatewayClient(options: GatewayClientOptions): GatewayClient {
  const resolved = resolveGatewayClientOptions(options);
  const { logger, now, signal } = resolved;
  const listeners = createListeners((error, event) =>
    logger.error({ err: error, event }, "a listener of the gateway client has thrown"),
  );
  const closed = Promise.withResolvers<CloseInfo>();
  const leaving = new Set<Promise<void>>();
  const pause = createRetryPause(resolved);

  let state: GatewayClientState = { kind: "idle" };
  let hello: HelloOk | undefined;
  let target: Target | undefined;
  let connection: Connection | undefined;
  let connecting: PromiseWithResolvers<HelloOk> | undefined;
  let closing: Promise<void> | undefined;
  let endDial: (() => void) | undefined;
  let openedAt: number | undefined;
  let pairingSince: number | undefined;
  let failures = 0;
  let restartExpectedMs: number | undefined;
  let wasHeld = false;

  function setState(next: GatewayClientState): void {
    state = next;
    listeners.emit("state", next);
  }

  function connect(): Promise<HelloOk> {
    if (connecting) return connecting.promise;
    connecting = Promise.withResolvers();
    // Whoever awaits it sees the failure; nobody has to.
    connecting.promise.catch(() => {});
    const result = connecting.promise;
    if (signal?.aborted) connecting.reject(signal.reason);
    else if (state.kind === "closed") connecting.reject(state.info.error ?? closedError());
    else start();
    return result;
  }

  function start(): void {
    // Over a carrier nothing goes to the host of the URL in the clear.
    const allowInsecure = resolved.allowInsecureUrl || resolved.dial !== undefined;
    const checked = checkGatewayUrl(resolved.url, { allowInsecure });
    if (!checked.ok) return failed(checked.error);
    const unusable = pinFault(checked.address, resolved.tlsFingerprint);
    if (unusable) return failed(unusable);
    const { endpointKey } = resolved;
    const address =
      endpointKey === undefined ? checked.address : { ...checked.address, endpoint: endpointKey };
    target = { address, negotiator: createNegotiator(resolved, address) };
    attempt();
  }

  function attempt(): void {
    if (!target) return;
    // Asking again and again for approval is one state, not many.
    if (state.kind !== "pairing") setState({ kind: "connecting", attempt: failures + 1 });
    // A listener of that state may have closed the client.
    if (closing) return;
    if (resolved.dial) dialCarrier(resolved.dial, target);
    else shakeHands(target, undefined);
  }

  function dialCarrier(dial: DialFunction, towards: Target): void {
    const { endpoint, url } = towards.address;
    endDial = startDial(dial, url, {
      opened(stream) {
        endDial = undefined;
        shakeHands(towards, stream);
      },
      failed(cause) {
        endDial = undefined;
        failed(carrierFailure(endpoint, cause));
      },
    });
  }

  function shakeHands({ address, negotiator }: Target, stream: Duplex | undefined): void {
    const transport = openTransport(address.url, stream);
    if (!transport) return;
    const mine = openConnection({
      endpoint: address.endpoint,
      transport,
      connectTimeoutMs: resolved.connectTimeoutMs,
      pingIntervalMs: resolved.pingIntervalMs,
      maxInFlight: resolved.maxInFlight,
      now,
      logger,
      buildConnect: (challenge) => negotiator.prepare(challenge),
      onHello: opened,
      onWaiting: (refusal, waitMs) => waiting(mine, { refusal, waitMs }),
      onGap: (gap) => listeners.emit("gap", gap),
      onEvent: eventArrived,
      onEnd: (end) => ended(mine, end),
    });
    connection = mine;
    const left = mine.gone.then(() => void leaving.delete(left));
    leaving.add(left);
  }

  function openTransport(url: string, stream: Duplex | undefined): Transport | undefined {
    try {
      return resolved.transport(url, {
        maxPayloadBytes: MAX_FRAME_BYTES,
        tlsFingerprint: resolved.tlsFingerprint,
        allowPublicPlaintext: resolved.allowInsecureUrl,
        stream,
      });
    } catch (cause) {
      stream?.destroy();
      failed(new GatewayError("INVALID_URL", `cannot dial ${url}`, { cause, final: true }));
      return undefined;
    }
  }

  function opened(newHello: HelloOk): void {
    target?.negotiator.welcomed(newHello);
    hello = newHello;
    openedAt = now();
    pairingSince = undefined;
    wasHeld = false;
    restartExpectedMs = undefined;
    setState({ kind: "open", openedAtMs: Date.now(), protocol: newHello.protocol });
    connecting?.resolve(newHello);
  }

  /** The Gateway keeps the handshake open until an operator has decided; nothing is asked meanwhile. */
  function waiting(
    mine: Connection,
    { refusal, waitMs }: { refusal: RemoteErrorShape; waitMs: number },
  ): void {
    if (mine !== connection || !target) return;
    wasHeld = true;
    const reason = target.negotiator.explain(refusal);
    pairingSince ??= now();
    showPairing(reason, Date.now() + waitMs);
    resolved.onAttempt?.({ attempt: failures + 1, error: reason, retryInMs: waitMs });
  }

  function showPairing(reason: GatewayError, retryAtMs: number): void {
    const next = { kind: "pairing", requestId: requestIdOf(reason), retryAtMs, reason } as const;
    if (state.kind === "pairing" && state.requestId === next.requestId) state = next;
    else setState(next);
  }

  function eventArrived(frame: EventFrame): void {
    if (frame.event === "shutdown") restartExpectedMs = expectedRestart(frame.payload);
    listeners.emit(frame.event, frame.payload, frame);
    listeners.emit("*", frame.payload, frame);
  }

  function ended(mine: Connection, end: ConnectionEnd): void {
    if (mine !== connection) return;
    connection = undefined;
    if (end.kind === "refused") {
      void target?.negotiator.refused(end.refusal).then((error) => {
        // Closed meanwhile.
        if (state.kind === "closed" || closing || connection) return;
        if (error) failed(error);
        else attempt();
      });
      return;
    }
    if (openedAt !== undefined) {
      if (now() - openedAt >= resolved.stableAfterMs) failures = 0;
      openedAt = undefined;
    }
    failed(end.kind === "lost" ? withRestartHint(end.error, restartExpectedMs) : end.error);
  }

  function failed(error: GatewayError): void {
    failures += 1;
    if (error.code !== "PAIRING_REQUIRED") pairingSince = undefined;
    else pairingSince ??= now();
    // A Gateway that keeps the handshake open is asked twice a minute, and may be asked so for ever.
    const pairingForMs = wasHeld ? 0 : now() - (pairingSince ?? now());
    wasHeld = false;
    const retryInMs =
      error.final || !resolved.reconnect
        ? undefined
        : pause.lengthMs(error, failures, pairingForMs);
    const attemptNumber = failures;
    logger.debug({ err: error, attempt: attemptNumber, retryInMs }, "not connected to the gateway");
    if (retryInMs === undefined) finish(error);
    else wait(error, retryInMs);
    resolved.onAttempt?.({ attempt: attemptNumber, error, retryInMs });
  }

  function wait(reason: GatewayError, retryInMs: number): void {
    const retryAtMs = Date.now() + retryInMs;
    pause.start(reason, retryInMs, {
      over(wasAway) {
        // What failed was the carrier; the Gateway behind it starts with a clean record.
        if (wasAway) failures = 0;
        attempt();
      },
      final: (cause) => failed(carrierFailure(endpointOf(target), cause)),
    });
    if (reason.code !== "PAIRING_REQUIRED") {
      setState({ kind: "waiting", attempt: failures, retryAtMs, reason });
      return;
    }
    // Quick questions for approval must not grow the pause after the next real failure.
    failures = 0;
    showPairing(reason, retryAtMs);
  }

  function finish(error: GatewayError | undefined): void {
    if (state.kind === "closed") return;
    pause.end();
    signal?.removeEventListener("abort", abort);
    const info: CloseInfo = {
      code: error?.closeCode,
      reason: error?.message ?? "closed by this side",
      error,
    };
    setState({ kind: "closed", info });
    connecting?.reject(error ?? closedError());
    closed.resolve(info);
  }

  function close(): Promise<void> {
    closing ??= (async () => {
      pause.end();
      endDial?.();
      connection?.close(CLOSE.NORMAL, "", closedError());
      connection = undefined;
      finish(undefined);
      await Promise.all([...leaving, target?.negotiator.idle()]);
    })();
    return closing;
  }

  function abort(): void {
    connecting?.reject(signal?.reason);
    void close();
  }

  function sendOptions(method: string, params: unknown, given: RequestOptions): SendOptions {
    return {
      timeoutMs: resolveRequestTimeoutMs(given.timeoutMs, {
        method,
        params,
        defaultMs: resolved.requestTimeoutMs,
      }),
      signal: given.signal,
      expectFinal: given.expectFinal ?? false,
    };
  }

  function request(method: string, params: unknown, given: RequestOptions = {}): Promise<unknown> {
    if (!connection) return Promise.reject(notConnected(state, endpointOf(target)));
    return connection.request(method, params, sendOptions(method, params, given));
  }

  if (signal?.aborted) abort();
  else signal?.addEventListener("abort", abort, { once: true });

  return {
    get state() {
      return state;
    },
    get hello() {
      return hello;
    },
    connect,
    // The overloads of the interface say what each method takes and answers.
    request,
    requestRaw: ((method: string, params: RawJson, given?: RequestOptions) =>
      request(method, params, given)) as GatewayClient["requestRaw"],
    on: listeners.on,
    close,
    closed: closed.promise,
    [Symbol.asyncDispose]: close,
  };
}

function endpointOf(target: Target | undefined): string {
  return target?.address.endpoint ?? "the Gateway";
}

function closedError(): GatewayError {
  return new GatewayError("CLOSED", "the client is closed", { final: true });
}

function notConnected(state: GatewayClientState, endpoint: string): GatewayError {
  if (state.kind === "closed") return closedError();
  const reason = state.kind === "waiting" || state.kind === "pairing" ? state.reason : undefined;
  return new GatewayError("CONNECTION_LOST", `not connected to ${endpoint} (${state.kind})`, {
    hint: reason?.hint,
    ...(reason && { cause: reason }),
  });
}
