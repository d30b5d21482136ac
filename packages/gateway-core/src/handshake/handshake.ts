import { randomUUID } from "node:crypto";
import { CLOSE, encodeError, encodeEvent, encodeResponse, parseFrame } from "@openclaw/protocol";
import type { Connection } from "../connections/connection.ts";
import type { PeerSocketOwner } from "../connections/peer-socket.ts";
import type { WebSocketPeer } from "../connections/websocket-peer.ts";
import type { PeerOrigin } from "../listener/peer-address.ts";
import type { Logger } from "../logger.ts";
import type { Accepted, ConnectDecision } from "./decide-connect.ts";
import { type Refusal, refuse as refusal } from "./refusal.ts";

/** How many frames may follow `connect` before it is answered. */
const MAX_WAITING_FRAMES = 15;

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
  /** The handshake is over, one way or the other. */
  ended: () => void;
}

/**
 * Takes one socket from open to connected:
 *
 *     open ── connect.challenge ──►  peer
 *          ◄── connect ───────────
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
  const conclude = (id: string, decision: ConnectDecision): void => {
    // The peer has gone, or its time has run out.
    if (isOver) return;
    if (!decision.ok) return refuse(id, decision.refusal);
    end();
    socket.authenticated();
    options.accept(decision.accepted, { socket, origin }, (hello) =>
      send(encodeResponse(id, hello)),
    );
    for (const text of waiting ?? []) socket.owner.onText(text);
  };
  const timer = setTimeout(() => drop(CLOSE.NORMAL, ""), options.timeoutMs);

  send(encodeEvent({ event: "connect.challenge", payload: { nonce, ts: options.now() } }));

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
      const decision = decide(params);
      if (!(decision instanceof Promise)) return conclude(id, decision);
      waiting = [];
      void decision.then((decided) => conclude(id, decided));
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
