import type { IncomingMessage } from "node:http";
import process from "node:process";
import type { Duplex } from "node:stream";
import type { Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { createAdmission } from "./admission.ts";
import type { EdgeRules } from "./edge-rules.ts";
import { type Rejection, rejectUpgrade } from "./http-answer.ts";
import type { Pace } from "./pace.ts";
import type { PeerOrigin } from "./peer-address.ts";
import type { RefusalLog } from "./refusal-log.ts";
import { judgeUpgrade, refusedRequest } from "./request-rules.ts";

export interface UpgradeOptions {
  maxFrameBytes: number;
  maxPreauthConnectionsPerIp: number;
  maxPreauthConnections: number;
  /** Milliseconds until an address that floods may begin another handshake; 0 for any other. */
  floodMs: (address: string | undefined) => number;
  /** True while no new socket may be taken. */
  isClosed: () => boolean;
  /** Spreads the work, so that many handshakes at once hold up nobody who is connected. */
  pace: Pace;
  /** What requests are judged by; asked for each, since it may change. */
  rules: () => EdgeRules;
  onRefused: RefusalLog;
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
  // Without a listener, ws would answer by itself, and without our headers.
  server.on("wsClientError", (_error: Error, socket: Duplex) =>
    rejectUpgrade(socket, NO_HANDSHAKE, options.rules().hsts),
  );
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
    // A malformed upgrade is answered and closed, and never reaches the callback.
    const leave = (): void => admission.leave(origin.address);
    // It has gone while it waited for its turn.
    if (socket.destroyed) return leave();
    socket.once("close", leave);
    // The answer and the challenge behind it leave in one write.
    socket.cork();
    process.nextTick(() => socket.uncork());
    server.handleUpgrade(request, socket, head, (ws) => {
      socket.off("close", leave);
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
        options.onRefused(refusedRequest(request, verdict.rejection));
        return rejectUpgrade(socket, verdict.rejection, rules.hsts);
      }
      const { origin } = verdict;
      const floodMs = options.floodMs(origin.address);
      if (floodMs > 0) return rejectUpgrade(socket, floods(floodMs), rules.hsts);
      socket.on("error", ignore);
      const giveUp = admission.enter(origin.address, {
        admitted() {
          options.pace(() => upgrade(request, socket, head, origin));
        },
        refused: () => rejectUpgrade(socket, BUSY, rules.hsts),
      });
      socket.once("close", giveUp);
    },
  };
}

/** Made once: a function made for each socket would keep that socket's request for as long as it lives. */
const ignore = (): void => {};

const NO_HANDSHAKE: Rejection = {
  status: 400,
  type: "upgrade_invalid",
  message: "this is not a WebSocket handshake of version 13",
  headers: { "Sec-WebSocket-Version": "13" },
};

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
