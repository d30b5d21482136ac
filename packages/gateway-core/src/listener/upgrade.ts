import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { createAdmission } from "./admission.ts";
import type { EdgeRules } from "./edge-rules.ts";
import { type Rejection, rejectUpgrade } from "./http-answer.ts";
import type { ForwardingProblem, PeerOrigin } from "./peer-address.ts";
import { judgeUpgrade } from "./request-rules.ts";

export interface UpgradeOptions {
  maxFrameBytes: number;
  maxPreauthConnectionsPerIp: number;
  maxPreauthConnections: number;
  /** Milliseconds until an address that floods may begin another handshake; 0 for any other. */
  floodMs: (address: string | undefined) => number;
  /** True while no new socket may be taken. */
  isClosed: () => boolean;
  /** What requests are judged by; asked for each, since it may change. */
  rules: () => EdgeRules;
  /** A request says whom it forwards for, and nobody can believe it. */
  onForwardingProblem: (problem: ForwardingProblem) => void;
  onSocket: (ws: WebSocket, socket: Socket, origin: PeerOrigin) => void;
}

/** Turns HTTP upgrades into sockets, and counts those that have not connected yet. */
export interface Upgrader {
  handle(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** A socket of that address has connected, or given up. */
  release(address: string | undefined): void;
}

export function createUpgrader(options: UpgradeOptions): Upgrader {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: options.maxFrameBytes,
  });
  const admission = createAdmission({
    maxPerAddress: options.maxPreauthConnectionsPerIp,
    maxTotal: options.maxPreauthConnections,
  });

  /** Holds on to nothing of the request: what is made here lives as long as the socket. */
  function upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    origin: PeerOrigin,
  ): void {
    const { address } = origin;
    let upgraded = false;
    socket.once("close", () => {
      // A malformed upgrade is answered and closed by ws, and never reaches the callback.
      if (!upgraded) admission.leave(address);
    });
    server.handleUpgrade(request, socket, head, (ws) => {
      upgraded = true;
      // An http server's upgrade socket is a net.Socket, or a TLS one that extends it.
      options.onSocket(ws, socket as Socket, origin);
    });
  }

  return {
    release: admission.leave,
    handle(request, socket, head) {
      const rules = options.rules();
      if (options.isClosed()) return rejectUpgrade(socket, BUSY, rules.hsts);
      const verdict = judgeUpgrade(request, rules);
      if (!verdict.ok) {
        if (verdict.problem) options.onForwardingProblem(verdict.problem);
        return rejectUpgrade(socket, verdict.rejection, rules.hsts);
      }
      const { origin } = verdict;
      const floodMs = options.floodMs(origin.address);
      if (floodMs > 0) return rejectUpgrade(socket, floods(floodMs), rules.hsts);
      socket.on("error", () => {});
      const giveUp = admission.enter(origin.address, {
        admitted: () => upgrade(request, socket, head, origin),
        refused: () => rejectUpgrade(socket, BUSY, rules.hsts),
      });
      socket.once("close", giveUp);
    },
  };
}

function floods(waitMs: number): Rejection {
  return {
    status: 429,
    type: "rate_limited",
    message: "too many connections after failed attempts; wait, then try again",
    headers: { "Retry-After": String(Math.ceil(waitMs / 1_000)) },
  };
}

const BUSY: Rejection = {
  status: 503,
  type: "unavailable",
  message: "no more connections are taken just now",
  headers: { "Retry-After": "1" },
};
