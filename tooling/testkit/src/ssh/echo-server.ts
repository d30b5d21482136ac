import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";

/** What waits behind a tunnel: sends back what it gets, and ends when the other side has ended. */
export interface EchoServer extends AsyncDisposable {
  /** Port of 127.0.0.1. */
  readonly port: number;
  /** The connections that are open, oldest first. */
  readonly connections: readonly Socket[];
  /** How many connections it has had. */
  readonly accepted: number;
}

/** Starts an echo server on a free port of 127.0.0.1. */
export async function startEchoServer(): Promise<EchoServer> {
  const connections = new Set<Socket>();
  let accepted = 0;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    accepted += 1;
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
    socket.on("error", () => undefined);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    // Listening on a port, so the address is one of IP.
    port: (server.address() as AddressInfo).port,
    get connections() {
      return [...connections];
    },
    get accepted() {
      return accepted;
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of connections) socket.destroy();
      await closed;
    },
  };
}
