import { type IncomingMessage, type Server, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { GatewayStartError } from "../errors.ts";

export interface ListenOptions {
  /** 0 takes any free port. @default 18789 */
  port?: number;
  /** The one address to listen on. @default "127.0.0.1" */
  host?: string;
}

export interface GatewayAddress {
  host: string;
  port: number;
  /** Where a client connects: `ws://host:port`. */
  url: string;
}

/**
 * Starts an http server on exactly the address asked for, or fails; it never listens wider.
 *
 * @throws {GatewayStartError} `PORT_IN_USE` or `BIND_REFUSED`
 */
export function listenHttp(
  { host, port }: Required<ListenOptions>,
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ server: Server; address: GatewayAddress }> {
  const server = createServer({ keepAliveTimeout: 5_000, requestTimeout: 30_000 }, onRequest);
  return new Promise((resolve, reject) => {
    server.once("error", (cause: NodeJS.ErrnoException) => reject(bindError(cause, host, port)));
    server.listen({ host, port, exclusive: true }, () => {
      // A listening TCP server's address is never a pipe name.
      const bound = server.address() as AddressInfo;
      const shown = bound.family === "IPv6" ? `[${bound.address}]` : bound.address;
      resolve({
        server,
        address: { host: bound.address, port: bound.port, url: `ws://${shown}:${bound.port}` },
      });
    });
  });
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
