import type { Server as HttpServer } from "node:http";
import { type Server, type Socket, createServer } from "node:net";
import { endWith } from "./http-answer.ts";

/** The first byte of a TLS handshake record (RFC 8446 §5.1). */
const TLS_HANDSHAKE = 0x16;
const PLAIN_TEXT = "This port speaks TLS: use https:// or wss:// to reach it.\n";
const PLAIN_ANSWER = [
  "HTTP/1.1 400 Bad Request",
  "Connection: close",
  "Content-Type: text/plain; charset=utf-8",
  `Content-Length: ${PLAIN_TEXT.length}`,
  "X-Content-Type-Options: nosniff",
  "",
  PLAIN_TEXT,
].join("\r\n");

/** What accepts connections for a TLS server, and tells whoever speaks plain HTTP to it so. */
export interface TlsFront {
  server: Server;
  closeAllConnections(): void;
}

/**
 * Looks at the first byte of each connection and hands it to `tlsServer` when a TLS handshake
 * begins. A TLS server by itself would drop the others without a word. A connection that says
 * nothing for `patienceMs` is dropped.
 */
export function createTlsFront(tlsServer: HttpServer, patienceMs: number): TlsFront {
  // All of them: the TLS server knows of none whose handshake is not done.
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setTimeout(patienceMs, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
    socket.once("readable", () => {
      // Null when the peer has gone without a word.
      const first = socket.read(1) as Buffer | null;
      if (first === null) return void socket.destroy();
      if (first[0] !== TLS_HANDSHAKE) return endWith(socket, PLAIN_ANSWER);
      socket.setTimeout(0);
      socket.removeAllListeners("timeout");
      socket.unshift(first);
      tlsServer.emit("connection", socket);
    });
  });
  return {
    server,
    closeAllConnections() {
      for (const socket of sockets) socket.destroy();
    },
  };
}
