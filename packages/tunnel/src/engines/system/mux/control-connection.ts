import { connect, type Socket } from "node:net";
import { TunnelError } from "../../../errors.ts";

// The master's side of `ssh -M`, as PROTOCOL.mux of OpenSSH describes it: packets of a length and a
// type, each request with a number that its answer repeats.

const VERSION = 4;
const MESSAGE = {
  hello: 0x0000_0001,
  aliveCheck: 0x1000_0004,
  stopListening: 0x1000_0009,
  proxy: 0x1000_000f,
  ok: 0x8000_0001,
  alive: 0x8000_0005,
  proxyReady: 0x8000_000f,
} as const;
/** Answers are a few words; what is longer is no master. */
const MAX_PACKET_BYTES = 64 * 1024;

/** A connection to the control socket of a master. */
export interface ControlConnection {
  /** Asks the master, not the far side. @returns its process number */
  checkAlive(): Promise<number>;
  /**
   * From now on nobody else can connect, and the socket is gone from the file system. The master ends
   * when the last of its connections does, so none of it outlives this process.
   */
  stopListening(): Promise<void>;
  /** Switches to messages of the SSH connection protocol; nothing but them may follow. */
  becomeProxy(): Promise<{ socket: Socket; received: Buffer }>;
  destroy(): void;
  readonly ended: Promise<void>;
}

/**
 * Connects to a control socket. Resolves with undefined when nobody listens there yet.
 *
 * @throws {@link TunnelError} `ENGINE_FAILED` when it is no master of OpenSSH 7.4 or later
 */
export async function connectToMaster(path: string): Promise<ControlConnection | undefined> {
  const socket = await dial(path);
  if (socket === undefined) return undefined;
  const packets = readPackets(socket);
  let request = 0;
  const ask = async (type: number, answer: number): Promise<Buffer> => {
    request += 1;
    const number = request;
    socket.write(packet(type, number));
    const reply = await packets.next();
    if (reply.length >= 8 && reply.readUInt32BE(0) === answer && reply.readUInt32BE(4) === number) {
      return reply;
    }
    throw unexpected(`answers request ${type.toString(16)} with ${reply.toString("hex", 0, 4)}`);
  };
  try {
    socket.write(packet(MESSAGE.hello, VERSION));
    const hello = await packets.next();
    if (hello.length < 8 || hello.readUInt32BE(0) !== MESSAGE.hello) {
      throw unexpected("does not greet");
    }
    if (hello.readUInt32BE(4) !== VERSION) {
      throw unexpected(`speaks version ${hello.readUInt32BE(4)} of the control protocol`);
    }
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return {
    async checkAlive() {
      const reply = await ask(MESSAGE.aliveCheck, MESSAGE.alive);
      return reply.length >= 12 ? reply.readUInt32BE(8) : 0;
    },
    async stopListening() {
      await ask(MESSAGE.stopListening, MESSAGE.ok);
    },
    async becomeProxy() {
      await ask(MESSAGE.proxy, MESSAGE.proxyReady);
      return { socket, received: packets.release() };
    },
    destroy: () => void socket.destroy(),
    ended: packets.ended,
  };
}

function dial(path: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.off("error", failed);
      resolve(socket);
    });
    socket.once("error", failed);
    function failed(error: NodeJS.ErrnoException): void {
      // Not there yet, or there and not yet listening.
      if (error.code === "ENOENT" || error.code === "ECONNREFUSED") resolve(undefined);
      else reject(unexpected(`cannot be reached (${error.code})`, error));
    }
  });
}

interface Packets {
  next(): Promise<Buffer>;
  /** Stops reading; returns what was read and belongs to no packet yet. */
  release(): Buffer;
  readonly ended: Promise<void>;
}

function readPackets(socket: Socket): Packets {
  let buffered = Buffer.alloc(0);
  let failure: Error | undefined;
  const arrived: Buffer[] = [];
  const waiting: { resolve(packet: Buffer): void; reject(error: Error): void }[] = [];
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();

  function fail(error: Error): void {
    failure ??= error;
    for (const one of waiting.splice(0)) one.reject(failure);
    socket.destroy();
  }

  function onData(data: Buffer): void {
    buffered = Buffer.concat([buffered, data]);
    while (buffered.length >= 4) {
      const length = buffered.readUInt32BE(0);
      if (length > MAX_PACKET_BYTES) return fail(unexpected("sends a packet without end"));
      if (buffered.length < 4 + length) return;
      const one = buffered.subarray(4, 4 + length);
      buffered = buffered.subarray(4 + length);
      const waiter = waiting.shift();
      if (waiter) waiter.resolve(one);
      else arrived.push(one);
    }
  }

  socket.on("data", onData);
  socket.on("error", (error) => fail(unexpected(`breaks (${error.message})`, error)));
  socket.on("close", () => {
    fail(unexpected("hangs up"));
    end();
  });
  return {
    ended,
    next: () =>
      new Promise((resolve, reject) => {
        const one = arrived.shift();
        if (one) resolve(one);
        else if (failure) reject(failure);
        else waiting.push({ resolve, reject });
      }),
    release() {
      socket.off("data", onData);
      socket.pause();
      return buffered;
    },
  };
}

function packet(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(8, 0);
  bytes.writeUInt32BE(type, 4);
  bytes.writeUInt32BE(value, 8);
  return bytes;
}

function unexpected(what: string, cause?: unknown): TunnelError {
  return new TunnelError("ENGINE_FAILED", `the control socket of ssh ${what}.`, {
    cause,
    hint: "This engine needs OpenSSH 7.6 or later.",
  });
}
