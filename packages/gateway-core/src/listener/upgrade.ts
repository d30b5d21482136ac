import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Socket } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";
import { type PeerOrigin, isForwarded, peerOrigin } from "./peer-address.ts";

export interface UpgradeOptions {
  maxFrameBytes: number;
  maxPreauthConnectionsPerIp: number;
  /** True while no new socket may be taken. */
  isClosed: () => boolean;
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

  return {
    release,
    handle(request, socket, head) {
      if (options.isClosed()) return reject(socket, 503, { "Retry-After": "1" });
      if (isForwarded(request)) {
        // Nobody has told us to trust this proxy, so nobody knows where the request comes from.
        const message = "proxy headers from an untrusted source";
        return reject(socket, 403, {}, { error: { message, type: "proxy_attribution_required" } });
      }
      const origin = peerOrigin(request);
      const key = origin.address ?? "";
      const count = waiting.get(key) ?? 0;
      if (count >= options.maxPreauthConnectionsPerIp)
        return reject(socket, 503, { "Retry-After": "1" });
      waiting.set(key, count + 1);
      let upgraded = false;
      socket.once("close", () => {
        // A malformed upgrade is answered and closed by ws, and never reaches the callback.
        if (!upgraded) release(origin.address);
      });
      server.handleUpgrade(request, socket, head, (ws) => {
        upgraded = true;
        // An http server's upgrade socket is a net.Socket, or a TLS one that extends it.
        options.onSocket(ws, socket as Socket, origin);
      });
    },
  };
}

const STATUS_TEXT: Readonly<Record<number, string>> = {
  403: "Forbidden",
  503: "Service Unavailable",
};

function reject(
  socket: Duplex,
  status: number,
  headers: Record<string, string>,
  body?: object,
): void {
  const text = body ? JSON.stringify(body) : "";
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_TEXT[status]}`,
    "Connection: close",
    "Content-Type: application/json; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(text)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.on("error", () => {});
  socket.end(`${lines.join("\r\n")}\r\n\r\n${text}`);
}
