import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { temporaryDirectory } from "@openclaw/testkit";
import ssh2, { type AuthContext, type Connection } from "ssh2";
import constants from "ssh2/lib/protocol/constants.js";
import utils from "ssh2/lib/protocol/utils.js";
import { expect, vi } from "vitest";
import { fingerprintOf } from "../../src/host-keys/fingerprint.ts";
import type { TunnelOptions } from "../../src/index.ts";

export const { MESSAGE } = constants as unknown as { MESSAGE: Readonly<Record<string, number>> };

/** What the client has asked for with CHANNEL_OPEN. */
export interface ChannelRequest {
  readonly sender: number;
  readonly window: number;
  readonly data: { readonly destPort: number };
}

type Handler = (protocol: unknown, ...rest: never[]) => void;

interface ServerProtocol {
  readonly _handlers: Record<string, Handler>;
  readonly _packetRW: {
    readonly write: {
      readonly allocStart: number;
      alloc(bytes: number): Buffer;
      finalize(packet: Buffer): Buffer;
    };
  };
  rekey(): void;
}

/** One client that has logged in, and whatever message one likes to send it. */
export interface HostileConnection {
  readonly connection: Connection;
  readonly protocol: ServerProtocol;
  /** Numbers go as uint32, texts as strings with their length, the rest as it is. */
  send(type: number, ...fields: readonly (number | string | boolean | Buffer)[]): void;
  /** Replaces what ssh2 does with a message. */
  on(message: string, handler: (...rest: never[]) => void): void;
  /** Answers every CHANNEL_OPEN with a confirmation, and tells. */
  confirmChannels(
    opened: (request: ChannelRequest) => void,
    confirmation?: { readonly window?: number; readonly packetSize?: number },
  ): void;
}

/** A server of ssh2 that lets everybody in and then does as a test likes. */
export interface HostileServer extends AsyncDisposable {
  readonly port: number;
  readonly target: string;
  /** Options to reach it with. */
  readonly options: TunnelOptions;
  readonly fingerprint: string;
  readonly connections: number;
  /** Resolves when the first client has been sent the host key. */
  shownHostKey(): Promise<void>;
  /** Ends every connection, politely as far as TCP goes. */
  dropAll(): void;
}

export interface HostileServerOptions {
  /** Lines before the version. */
  readonly greeting?: string;
  /** The version. */
  readonly ident?: string;
  /** Keeps its side of a connection open when the client has ended its own. */
  readonly allowHalfOpen?: boolean;
  /** Instead of letting everybody in. */
  readonly authentication?: (context: AuthContext, send: HostileConnection["send"]) => void;
}

export async function startHostileServer(
  loggedIn: (client: HostileConnection) => void,
  { greeting, ident, allowHalfOpen = false, authentication }: HostileServerOptions = {},
): Promise<HostileServer> {
  const directory = await temporaryDirectory();
  // One ed25519 key in five hundred that ssh2 makes it cannot read again.
  const { private: hostKey, public: publicKey } = ssh2.utils.generateKeyPairSync("ecdsa", {
    bits: 256,
  });
  const blob = Buffer.from(publicKey.split(" ")[1] ?? "", "base64");
  const fingerprint = fingerprintOf(blob);
  const open = new Set<Connection>();
  let connections = 0;
  const config = {
    hostKeys: [hostKey],
    ...(greeting === undefined ? {} : { greeting }),
    ...(ident === undefined ? {} : { ident }),
  };
  const server = new ssh2.Server(config, (connection) => {
    if (allowHalfOpen) stayOpen(connection);
    connections += 1;
    open.add(connection);
    connection.on("error", () => {});
    connection.on("close", () => void open.delete(connection));
    connection.on("authentication", (context) => {
      if (authentication) authentication(context, controlOf(connection).send);
      else context.accept();
    });
    connection.on("ready", () => loggedIn(controlOf(connection)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    target: `somebody@127.0.0.1:${port}`,
    fingerprint,
    options: {
      sshConfig: false,
      knownHosts: directory.file("known_hosts"),
      hostKeyFingerprint: fingerprint,
      env: { HOME: directory.path, PATH: process.env["PATH"] },
      engine: "ssh2",
    },
    get connections() {
      return connections;
    },
    async shownHostKey() {
      // Its own offer is half as long; the key follows with NEWKEYS.
      await vi.waitFor(() => {
        const [connection] = open;
        expect(connection && socketOf(connection).bytesWritten).toBeGreaterThan(1_000);
      });
    },
    dropAll() {
      for (const connection of open) socketOf(connection).destroy();
    },
    async [Symbol.asyncDispose]() {
      for (const connection of open) socketOf(connection).destroy();
      await new Promise<void>((resolve) => void server.close(() => resolve()));
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** The TCP connection under a connection of ssh2's server. */
export function socketOf(connection: Connection): import("node:net").Socket {
  return (connection as unknown as { _sock: import("node:net").Socket })._sock;
}

function stayOpen(connection: Connection): void {
  const socket = socketOf(connection);
  socket.allowHalfOpen = true;
  socket.end = () => socket;
}

function controlOf(connection: Connection): HostileConnection {
  const { _protocol: protocol } = connection as unknown as { _protocol: ServerProtocol };
  function send(type: number, ...fields: readonly (number | string | boolean | Buffer)[]): void {
    const payload = Buffer.concat([Buffer.from([type]), ...fields.map(encode)]);
    const { write } = protocol._packetRW;
    const packet = write.alloc(payload.length);
    packet.set(payload, write.allocStart);
    utils.sendPacket(protocol, write.finalize(packet));
  }
  function on(message: string, handler: (...rest: never[]) => void): void {
    protocol._handlers[message] = (_, ...rest) => handler(...rest);
  }
  return {
    connection,
    protocol,
    send,
    on,
    confirmChannels(opened, { window = 2 ** 21, packetSize = 32_768 } = {}) {
      on("CHANNEL_OPEN", (request: ChannelRequest) => {
        send(
          MESSAGE["CHANNEL_OPEN_CONFIRMATION"] ?? 0,
          request.sender,
          request.sender,
          window,
          packetSize,
        );
        opened(request);
      });
    },
  };
}

function encode(field: number | string | boolean | Buffer): Buffer {
  if (typeof field === "boolean") return Buffer.from([field ? 1 : 0]);
  if (typeof field === "number") {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(field);
    return bytes;
  }
  if (typeof field === "string")
    return Buffer.concat([encode(Buffer.byteLength(field)), Buffer.from(field)]);
  return field;
}
