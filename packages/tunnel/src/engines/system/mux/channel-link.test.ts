import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { temporaryDirectory } from "@openclaw/testkit";
import { expect, test } from "vitest";
import type { SshChannel } from "../../ssh2/channel.ts";
import { createChannels } from "../../ssh2/channels.ts";
import { createChannelLink } from "./channel-link.ts";
import { encodeMessage, MESSAGE, type MessageReader, readMessage } from "./messages.ts";
import { createWindowShares } from "./window-shares.ts";

/** A master that says what the test has it say. */
interface Master extends AsyncDisposable {
  readonly socket: Socket;
  /** The next message to it. */
  next(): Promise<MessageReader>;
  open(): Promise<SshChannel>;
  readonly malformed: Promise<Error>;
}

async function startMaster(): Promise<Master> {
  const directory = await temporaryDirectory();
  const path = directory.file("control");
  const server = createServer();
  server.listen(path);
  await once(server, "listening");
  const ours = connect(path);
  const [socket] = (await once(server, "connection")) as [Socket];
  const malformed = Promise.withResolvers<Error>();
  const link = createChannelLink(ours, Buffer.alloc(0), malformed.resolve);
  const channels = createChannels(link.internals, createWindowShares());
  let received = Buffer.alloc(0);

  async function next(): Promise<MessageReader> {
    while (received.length < 4 || received.length < 4 + received.readUInt32BE(0)) {
      // oxlint-disable-next-line no-await-in-loop
      const [data] = (await once(socket, "data")) as [Buffer];
      received = Buffer.concat([received, data]);
    }
    const end = 4 + received.readUInt32BE(0);
    const message = readMessage(received.subarray(4, end));
    received = received.subarray(end);
    return message;
  }

  return {
    socket,
    next,
    malformed: malformed.promise,
    async open() {
      const opening = channels.open({ host: "127.0.0.1", port: 1 }, undefined);
      const request = await next();
      expect([request.type, request.text()]).toEqual([MESSAGE.channelOpen, "direct-tcpip"]);
      const number = request.number();
      const limits = [2 * 1024 * 1024, 32 * 1024];
      socket.write(encodeMessage(MESSAGE.channelOpenConfirmation, number, number + 100, ...limits));
      return opening;
    },
    async [Symbol.asyncDispose]() {
      ours.destroy();
      socket.destroy();
      server.close();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** Reads until so many bytes are there. */
function read(stream: SshChannel, bytes: number): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const take = (chunk: Buffer): void => {
      text += chunk.toString();
      if (text.length < bytes) return;
      stream.off("data", take);
      resolve(text);
    };
    stream.on("data", take);
  });
}

test("messages that arrive byte by byte are the same as whole ones", async () => {
  await using master = await startMaster();
  const [one, other] = [await master.open(), await master.open()];
  const bytes = Buffer.concat([
    encodeMessage(MESSAGE.channelData, 0, "for the one"),
    encodeMessage(MESSAGE.channelData, 1, ""),
    encodeMessage(MESSAGE.channelData, 1, "for the other"),
    encodeMessage(MESSAGE.channelData, 0, ", and more"),
    encodeMessage(MESSAGE.channelEof, 0),
  ]);
  const [readOne, readOther] = [read(one, 21), read(other, 13)];
  for (const byte of bytes) {
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => master.socket.write(Buffer.of(byte), resolve));
  }
  expect(await Promise.all([readOne, readOther])).toEqual([
    "for the one, and more",
    "for the other",
  ]);
  if (!one.readableEnded) await once(one, "end");
});

test("data is read before the rest of its message has come", async () => {
  await using master = await startMaster();
  const channel = await master.open();
  const message = encodeMessage(MESSAGE.channelData, 0, "now and later");
  master.socket.write(message.subarray(0, -6));
  expect(await read(channel, 7)).toBe("now and");
  master.socket.write(message.subarray(-6));
  expect(await read(channel, 6)).toBe(" later");
});

test("a message of which the data is longer than itself ends the connection", async () => {
  await using master = await startMaster();
  await master.open();
  const message = encodeMessage(MESSAGE.channelData, 0, "short");
  message.writeUInt32BE(500, 10);
  master.socket.write(message);
  expect(await master.malformed).toBeInstanceOf(RangeError);
});
