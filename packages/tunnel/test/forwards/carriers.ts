import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { hasSshd, sshTestRig } from "@openclaw/testkit";
import ssh2, { type Client, type Connection } from "ssh2";
import { connectedClient } from "../ssh2-engine/connected-client.ts";
import { dial } from "./tcp.ts";

/** A way to a port of the far side. */
export interface Carrier extends AsyncDisposable {
  open(port: number): Promise<Duplex>;
  /** Loses the connection that all streams are on. */
  cut(): void;
  /** Bytes that the connection of all streams has not sent yet. */
  readonly unsentBytes: number;
}

export interface CarrierKind {
  readonly name: string;
  readonly isAvailable: boolean;
  /** The far side may end its direction first, and still read. */
  readonly farMayEndFirst: boolean;
  /** What a stream has taken still arrives when it is closed with something unread. */
  readonly deliversAfterClose: boolean;
  /** What a stream buffers while nobody reads it. */
  readonly readAheadBytes: number;
  /** What a stream of it hands to the connection before the far side has to read. */
  readonly windowBytes: number;
  start(): Promise<Carrier>;
}

const { privateKey: hostKey } = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  privateKeyEncoding: { type: "sec1", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});

const KIB = 1024;
const MIB = 1024 * KIB;

export const carrierKinds: readonly CarrierKind[] = [
  {
    name: "a TCP socket",
    isAvailable: true,
    farMayEndFirst: true,
    // The system resets a connection that is closed with something unread.
    deliversAfterClose: false,
    readAheadBytes: 128 * KIB,
    windowBytes: 0,
    start: startTcp,
  },
  {
    name: "a channel of ssh2 to its own server",
    isAvailable: true,
    // That server closes a channel as soon as it has ended it.
    farMayEndFirst: false,
    deliversAfterClose: true,
    // It renews the window of 2 MiB until it holds as much.
    readAheadBytes: 4 * MIB,
    windowBytes: 2 * MIB,
    start: startSsh2,
  },
  {
    name: "a channel of ours to OpenSSH",
    isAvailable: hasSshd,
    farMayEndFirst: true,
    deliversAfterClose: true,
    readAheadBytes: 2 * MIB + 512 * KIB,
    windowBytes: 2 * MIB,
    start: startOpenSsh,
  },
];

async function startTcp(): Promise<Carrier> {
  const sockets = new Set<Socket>();
  return {
    async open(port) {
      const socket = await dial({ port });
      sockets.add(socket);
      return socket;
    },
    cut() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    unsentBytes: 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function startSsh2(): Promise<Carrier> {
  const connections = new Set<Socket>();
  const server = new ssh2.Server({ hostKeys: [hostKey] }, (connection) => {
    connection.on("error", ignore);
    connection.on("authentication", (attempt) => attempt.accept());
    connection.on("ready", () => forwardAll(connection));
  });
  // Its own listener keeps Nagle's algorithm on, which makes every test wait.
  const listener = createServer({ noDelay: true }, (socket) => {
    connections.add(socket);
    server.injectSocket(socket);
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const client = new ssh2.Client();
  const socket = connect({
    port: (listener.address() as AddressInfo).port,
    host: "127.0.0.1",
    noDelay: true,
  });
  client.on("error", ignore);
  client.connect({ sock: socket, username: "me", password: "any" });
  await once(client, "ready");
  return {
    open: (port) => openChannel(client, port),
    cut: () => void client.destroy(),
    get unsentBytes() {
      return socket.writableLength;
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
      for (const connection of connections) connection.destroy();
      listener.close();
      await once(listener, "close");
    },
  };
}

function forwardAll(connection: Connection): void {
  connection.on("tcpip", (accept, reject, { destPort }) => {
    const socket = connect({
      port: destPort,
      host: "127.0.0.1",
      allowHalfOpen: true,
      noDelay: true,
    });
    socket.once("error", () => reject());
    socket.once("connect", () => {
      const channel = accept();
      channel.on("error", ignore);
      socket.pipe(channel).pipe(socket);
      socket.on("error", () => channel.destroy());
      // Read to its end: closed with something unread, it would drop what is on its way.
      channel.on("close", () => socket.resume().end());
    });
  });
}

function openChannel(client: Client, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    client.forwardOut("127.0.0.1", 0, "127.0.0.1", port, (error, channel) => {
      if (error) reject(error);
      else resolve(channel);
    });
  });
}

async function startOpenSsh(): Promise<Carrier> {
  const rig = await sshTestRig();
  const connected = await connectedClient(rig);
  const { _sock: socket } = connected.client as unknown as { _sock: Socket };
  return {
    open: (port) => connected.channels.open({ host: "127.0.0.1", port }, undefined),
    cut: () => void connected.client.destroy(),
    get unsentBytes() {
      return socket.writableLength;
    },
    async [Symbol.asyncDispose]() {
      connected.client.destroy();
      await connected[Symbol.asyncDispose]();
      await rig.stop();
    },
  };
}

function ignore(): void {}
