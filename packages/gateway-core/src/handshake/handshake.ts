import { randomUUID } from "node:crypto";
import {
  CAP_DEVICE_KEY,
  CAP_PAIRING_WAIT,
  CLOSE,
  encodeError,
  encodeEvent,
  encodeResponse,
  parseFrame,
} from "@openclaw/protocol";
import type { Connection } from "../connections/connection.ts";
import type { PeerSocketOwner } from "../connections/peer-socket.ts";
import type { WebSocketPeer } from "../connections/websocket-peer.ts";
import type { Pace } from "../listener/pace.ts";
import type { PeerOrigin } from "../listener/peer-address.ts";
import type { Logger } from "../logger.ts";
import type { PairingWaits } from "../pairing/pairing-waits.ts";
import type { Accepted, ConnectDecision } from "./decide-connect.ts";
import { type Refusal, refuse as refusal } from "./refusal.ts";

/** How many frames may follow `connect` before it is answered. */
const MAX_WAITING_FRAMES = 15;
/**
 * How long a handshake stays open for an operator's decision; then the device asks again. Well below
 * the age that a signature may have, since the same one is judged again.
 */
const DECISION_WAIT_MS = 30_000;

export interface HandshakeOptions {
  timeoutMs: number;
  now: () => number;
  frameSent: ((text: string) => void) | undefined;
  logger: Logger;
  decide: (
    params: unknown,
    peer: { nonce: string; origin: PeerOrigin },
  ) => ConnectDecision | Promise<ConnectDecision>;
  /** Why no connection can be taken now; checked when `connect` arrives. */
  unavailable: () => Refusal | undefined;
  /** Turns an accepted peer into a connection and says hello; from here on it owns the socket. */
  accept: (
    accepted: Accepted,
    peer: { socket: WebSocketPeer; origin: PeerOrigin },
    sendHello: (hello: unknown) => void,
  ) => Connection;
  /** Spreads the work of many handshakes at once. */
  pace: Pace;
  /** Where a device that would wait is woken by the decision about it. */
  waits: PairingWaits;
  /** The peer has proven who it is and waits for a person; it is no longer one that hurries us. */
  parked: () => void;
  /** The handshake is over, one way or the other. */
  ended: () => void;
}

/**
 * Takes one socket from open to connected:
 *
 *     open ── connect.challenge ──►  peer
 *          ◄── connect ───────────
 *          ── device.pair.waiting ►       where an operator has to decide, and the peer would wait
 *          ── hello-ok ──────────►        or an error and close
 *
 * Everything that decides is elsewhere and pure; this is the shell that talks.
 */
export function beginHandshake(
  socket: WebSocketPeer,
  origin: PeerOrigin,
  options: HandshakeOptions,
): PeerSocketOwner {
  const nonce = randomUUID();
  let isOver = false;
  let stopWaiting: (() => void) | undefined;
  /** Frames that came while `connect` was being decided; undefined when it is not. */
  let waiting: string[] | undefined;

  const send = (text: string): void => {
    options.frameSent?.(text);
    socket.send(text);
  };
  const end = (): void => {
    if (isOver) return;
    isOver = true;
    clearTimeout(timer);
    stopWaiting?.();
    options.ended();
  };
  const drop = (code: number, reason: string): void => {
    end();
    socket.close(code, reason);
  };
  const refuse = (id: string, refusal: Refusal): void => {
    send(encodeError(id, refusal.error));
    drop(refusal.closeCode, refusal.closeReason);
  };
  const undecided = (error: unknown): ConnectDecision => {
    // Pairing is written down before it counts, and a store can fail; that is no reason to die.
    options.logger.error({ err: error }, "connect could not be decided");
    return { ok: false, refusal: failed() };
  };
  const decide = (params: unknown): ConnectDecision | Promise<ConnectDecision> => {
    try {
      const decision = options.decide(params, { nonce, origin });
      return decision instanceof Promise ? decision.catch(undecided) : decision;
    } catch (error) {
      return undecided(error);
    }
  };
  /** Leaves the handshake open until an operator has decided; false when too many are open already. */
  const park = (id: string, params: unknown, refused: Refusal, deviceId: string): boolean => {
    const decided = (): void => settle(id, params, false);
    stopWaiting = options.waits.begin(deviceId, decided);
    if (!stopWaiting) return false;
    clearTimeout(timer);
    timer = setTimeout(() => refuse(id, refused), DECISION_WAIT_MS);
    waiting ??= [];
    options.parked();
    const payload = { error: refused.error, waitMs: DECISION_WAIT_MS };
    send(encodeEvent({ event: "device.pair.waiting", payload }));
    return true;
  };
  const settle = (id: string, params: unknown, mayWait: boolean): void => {
    waiting ??= [];
    options.pace(() => {
      if (isOver) return;
      const decision = decide(params);
      if (!(decision instanceof Promise)) return conclude(id, params, decision, mayWait);
      void decision.then((decided) => conclude(id, params, decided, mayWait));
    });
  };
  const conclude = (
    id: string,
    params: unknown,
    decision: ConnectDecision,
    mayWait: boolean,
  ): void => {
    // The peer has gone, or its time has run out.
    if (isOver) return;
    if (!decision.ok) {
      const { refusal: refused, waitsFor } = decision;
      if (mayWait && waitsFor !== undefined && park(id, params, refused, waitsFor)) return;
      return refuse(id, refused);
    }
    end();
    socket.authenticated();
    options.accept(decision.accepted, { socket, origin }, (hello) =>
      send(encodeResponse(id, hello)),
    );
    for (const text of waiting ?? []) socket.owner.onText(text);
  };
  let timer = setTimeout(() => drop(CLOSE.NORMAL, ""), options.timeoutMs);

  const challenge = { nonce, ts: options.now(), capabilities: [CAP_PAIRING_WAIT, CAP_DEVICE_KEY] };
  send(encodeEvent({ event: "connect.challenge", payload: challenge }));

  return {
    onText(text) {
      if (isOver) return;
      if (waiting) {
        if (waiting.push(text) > MAX_WAITING_FRAMES)
          drop(CLOSE.POLICY_VIOLATION, "too many pending handshake frames");
        return;
      }
      const parsed = parseFrame(text);
      if (!parsed.ok || parsed.frame.type !== "req")
        return drop(CLOSE.POLICY_VIOLATION, "invalid request frame");
      const { id, method, params } = parsed.frame;
      if (method !== "connect") {
        const message = "invalid handshake: first request must be connect";
        return refuse(id, {
          error: { code: "INVALID_REQUEST", message },
          closeCode: CLOSE.POLICY_VIOLATION,
          closeReason: message,
        });
      }
      const unavailable = options.unavailable();
      if (unavailable) return refuse(id, unavailable);
      settle(id, params, true);
    },
    onClose: end,
  };
}

function failed(): Refusal {
  return refusal("connect failed on the Gateway; retry shortly", {
    code: "UNAVAILABLE",
    details: { reason: "internal" },
    retryable: true,
    closeCode: CLOSE.TRY_AGAIN_LATER,
  });
}
