import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import type { EdgeRules } from "./edge-rules.ts";
import { type Rejection, rejectUpgrade } from "./http-answer.ts";
import type { ForwardingProblem, PeerOrigin } from "./peer-address.ts";
import { judgeUpgrade } from "./request-rules.ts";

export interface UpgradeOptions {
  maxFrameBytes: number;
  maxPreauthConnectionsPerIp: number;
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
  const waiting = new Map<string, number>();

  function release(address: string | undefined): void {
    const key = address ?? "";
    const count = (waiting.get(key) ?? 0) - 1;
    if (count > 0) waiting.set(key, count);
    else waiting.delete(key);
  }

  /** Holds on to nothing of the request: what is made here lives as long as the socket. */
  function upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    origin: PeerOrigin,
  ): void {
    const { address } = origin;
    const key = address ?? "";
    waiting.set(key, (waiting.get(key) ?? 0) + 1);
    let upgraded = false;
    socket.once("close", () => {
      // A malformed upgrade is answered and closed by ws, and never reaches the callback.
      if (!upgraded) release(address);
    });
    server.handleUpgrade(request, socket, head, (ws) => {
      upgraded = true;
      // An http server's upgrade socket is a net.Socket, or a TLS one that extends it.
      options.onSocket(ws, socket as Socket, origin);
    });
  }

  return {
    release,
    handle(request, socket, head) {
      const rules = options.rules();
      if (options.isClosed()) return rejectUpgrade(socket, BUSY, rules.hsts);
      const verdict = judgeUpgrade(request, rules);
      if (!verdict.ok) {
        if (verdict.problem) options.onForwardingProblem(verdict.problem);
        return rejectUpgrade(socket, verdict.rejection, rules.hsts);
      }
      const count = waiting.get(verdict.origin.address ?? "") ?? 0;
      if (count >= options.maxPreauthConnectionsPerIp)
        return rejectUpgrade(socket, BUSY, rules.hsts);
      upgrade(request, socket, head, verdict.origin);
    },
  };
}

const BUSY: Rejection = {
  status: 503,
  type: "unavailable",
  message: "no more connections are taken just now",
  headers: { "Retry-After": "1" },
};
