import {
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
  createServer,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, type Server as NetServer } from "node:net";
import type { Duplex } from "node:stream";
import { GatewayStartError } from "../errors.ts";
import { createAddressList, isLoopback } from "./address-list.ts";
import { rejectUpgrade } from "./http-answer.ts";
import { createTlsFront } from "./tls-front.ts";

export interface ListenOptions {
  /** 0 takes any free port. @default 18789 */
  port?: number;
  /** The one address to listen on. @default "127.0.0.1" */
  host?: string;
  /** Keeps an IPv6 address from taking IPv4 as well. @default false */
  ipv6Only?: boolean;
  /** Certificate and key, in PEM, the chain after the certificate. TLS 1.2 or newer. @default plain HTTP */
  tls?: { cert: string | Buffer; key: string | Buffer };
  /**
   * Addresses and ranges to take connections from; others are closed before a byte of theirs is read.
   * An address of one network can be reached from another that this machine is in, and this keeps it
   * to its own. @default anywhere
   */
  from?: readonly string[];
}

export interface GatewayAddress {
  host: string;
  port: number;
  /** Where a client connects: `ws://host:port`, or `wss://host:port` with TLS. */
  url: string;
}

/** One address that is listened on. */
export interface Listener {
  address: GatewayAddress;
  /** The http server whose requests and upgrades these are. */
  server: Server;
  isLoopback: boolean;
  /** Takes no more connections; settles when the last one has gone. */
  close(): Promise<void>;
  /** Drops those that are left, whatever they are at. */
  closeAllConnections(): void;
}

/** How often sockets that take too long are looked for. */
const CHECK_MS = 1_000;

/** Whoever says nothing, or never ends its headers, holds a socket for no longer than `patienceMs`. */
function serverOptions(patienceMs: number): ServerOptions {
  return {
    keepAliveTimeout: 5_000,
    headersTimeout: patienceMs,
    requestTimeout: Math.max(30_000, patienceMs),
    connectionsCheckingInterval: Math.min(CHECK_MS, patienceMs),
  };
}

/**
 * Starts an http server on exactly the address asked for, or fails; it never listens wider. A peer
 * has `patienceMs` for each step until its request is there.
 *
 * @throws {GatewayStartError} `PORT_IN_USE`, `BIND_REFUSED`, or `OPTIONS_INVALID` for a certificate or
 * a range that cannot be used
 */
export async function listenHttp(
  options: ListenOptions & { host: string; port: number; patienceMs: number },
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Listener> {
  const { host, port, ipv6Only = false, tls, from, patienceMs } = options;
  const allowed = from === undefined ? undefined : createAddressList("from", from);
  const server = tls
    ? tlsServer(tls, patienceMs, onRequest)
    : createServer(serverOptions(patienceMs), onRequest);
  server.on("clientError", answerClientError);
  const front = tls ? createTlsFront(server, patienceMs) : undefined;
  const outer: NetServer = front?.server ?? server;
  if (allowed !== undefined) {
    outer.prependListener("connection", (socket) => {
      if (!allowed.has(socket.remoteAddress)) socket.destroy();
    });
  }
  await new Promise<void>((resolve, reject) => {
    outer.once("error", (cause: NodeJS.ErrnoException) => reject(bindError(cause, host, port)));
    outer.listen({ host, port, ipv6Only, exclusive: true }, resolve);
  });
  // A listening TCP server's address is never a pipe name.
  const bound = outer.address() as AddressInfo;
  const shown = bound.family === "IPv6" ? `[${bound.address}]` : bound.address;
  return {
    server,
    isLoopback: isLoopback(bound.address),
    address: {
      host: bound.address,
      port: bound.port,
      url: `${tls ? "wss" : "ws"}://${shown}:${bound.port}`,
    },
    close() {
      const closed = new Promise<void>((resolve) => void outer.close(() => resolve()));
      server.closeIdleConnections();
      return closed;
    },
    closeAllConnections() {
      server.closeAllConnections();
      front?.closeAllConnections();
    },
  };
}

/** Answers bytes that are no HTTP request, which node would answer without our headers. */
function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === "ECONNRESET") return void socket.destroy();
  const status =
    error.code === "HPE_HEADER_OVERFLOW"
      ? 431
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? 408
        : 400;
  const message = "this is not an HTTP request that can be answered";
  rejectUpgrade(socket, { status, type: "request_invalid", message }, undefined);
}

function tlsServer(
  { cert, key }: NonNullable<ListenOptions["tls"]>,
  patienceMs: number,
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
): Server {
  try {
    return createTlsServer(
      {
        ...serverOptions(patienceMs),
        handshakeTimeout: patienceMs,
        cert,
        key,
        minVersion: "TLSv1.2",
        ALPNProtocols: ["http/1.1"],
      },
      onRequest,
    );
  } catch (cause) {
    // What OpenSSL says of a key may quote it; its code does not.
    const code = cause instanceof Error && "code" in cause ? ` (${String(cause.code)})` : "";
    throw new GatewayStartError("OPTIONS_INVALID", `tls.cert and tls.key cannot be used${code}`, {
      hint: "Pass a certificate and the private key that belongs to it, both in PEM.",
    });
  }
}

function bindError(cause: NodeJS.ErrnoException, host: string, port: number): GatewayStartError {
  if (cause.code === "EADDRINUSE") {
    return new GatewayStartError("PORT_IN_USE", `port ${port} on ${host} is in use`, {
      cause,
      hint: "Stop the program that holds it, or choose another port.",
    });
  }
  return new GatewayStartError(
    "BIND_REFUSED",
    `cannot listen on ${host}:${port} (${cause.code ?? cause.message})`,
    { cause, hint: "Choose an address of this machine and a port that you may use." },
  );
}
