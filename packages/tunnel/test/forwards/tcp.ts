import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createInbox } from "@openclaw/testkit";

/** A TCP server of 127.0.0.1 that hands over its connections one by one. */
export interface Acceptor extends AsyncDisposable {
  readonly server: Server;
  readonly port: number;
  /** The next connection that came or comes. */
  next(): Promise<Socket>;
}

export async function acceptor(): Promise<Acceptor> {
  const sockets = new Set<Socket>();
  const arrivals = createInbox<Socket>((socket) => `a connection from ${socket.remotePort}`);
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    // Who expects an error listens for it; here it only must not be the end of the test.
    socket.on("error", ignore);
    socket.on("close", () => sockets.delete(socket));
    arrivals.push(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    server,
    port: (server.address() as AddressInfo).port,
    next: () => arrivals.next(() => true, { what: "a connection", deadlineMs: 10_000 }),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** A connection to a port or a socket of this machine, half-closable. */
export async function dial(to: { port: number } | { path: string }): Promise<Socket> {
  const socket = connect({
    ...("path" in to ? to : { ...to, host: "127.0.0.1", noDelay: true }),
    allowHalfOpen: true,
  });
  socket.on("error", ignore);
  await once(socket, "connect");
  return socket;
}

/** How a connection came to its end: with an orderly end, or with an error. */
export function endOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once("end", () => resolve("end"));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    socket.once("close", () => resolve("close"));
    socket.resume();
  });
}

/** Unlike `once`, it takes an error for what it is: the way to a close. */
export function closeOf(stream: Duplex): Promise<void> {
  return new Promise((resolve) => stream.once("close", () => resolve()));
}

/** How a connection ends that nobody does anything with; one that is reset may never look open. */
export function dialToEnd(port: number): Promise<string> {
  return endOf(connect({ port, host: "127.0.0.1" }));
}

export async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** Length and checksum: of megabytes, a failed comparison would print every one. */
export async function readDigest(stream: NodeJS.ReadableStream): Promise<string> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += (chunk as Buffer).length;
    hash.update(chunk as Buffer);
  }
  return `${bytes} ${hash.digest("hex")}`;
}

export function digestOf(bytes: Buffer): string {
  return `${bytes.length} ${createHash("sha256").update(bytes).digest("hex")}`;
}

function ignore(): void {}
