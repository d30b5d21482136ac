import type { Socket } from "node:net";
import type {
  ChannelConfirmation,
  ChannelHandlers,
  ChannelNumbers,
  Protocol,
  Ssh2Internals,
} from "../../ssh2/internals.ts";
import {
  DATA_HEADER_BYTES,
  dataHeader,
  type DataHeader,
  encodeMessage,
  MESSAGE,
  type MessageReader,
  readDataHeader,
  readMessage,
} from "./messages.ts";

/** A data message has at most the 32 KiB that we ask for; ssh itself takes 256 KiB for a mistake. */
const MAX_MESSAGE_BYTES = 256 * 1024;

/** What `createChannels` does without where nothing is encrypted. */
type NotAboutChannels = "_kexinit" | "_packetRW" | "_cipher" | "_decipher" | "ping";

/** Told what happens on a channel that is no forward. */
export interface SessionEvents {
  opened(confirmation: ChannelConfirmation): void;
  refused(reason: number, description: string): void;
  data(data: Buffer, stream: "stdout" | "stderr"): void;
  request(name: string, wantsReply: boolean, message: MessageReader): void;
  /** The answer to our own request. */
  answered(isAccepted: boolean): void;
  closed(): void;
}

/** The messages about channels of one connection, through a master in proxy mode. */
export interface ChannelLink {
  /**
   * What `createChannels` needs to serve the forwarding channels. It hooks itself into the handlers;
   * what it leaves goes to sessions.
   */
  readonly internals: Ssh2Internals;
  /** Opens a session. The number is its own until the far side has answered the last message. */
  openSession(window: number, packetBytes: number, events: SessionEvents): number;
  send(type: number, ...fields: Parameters<typeof encodeMessage>[1][]): void;
  /** A session is over, on both sides. */
  forget(channel: number): void;
  /**
   * Channels that the far side refused. The master keeps an entry for each of them until the link ends,
   * and gives up at 16384.
   */
  readonly refusedChannels: number;
  readonly sessions: number;
  readonly bytesRead: number;
}

/**
 * Speaks the connection protocol over the socket of a master.
 *
 * @param received what the socket has brought already
 * @param malformed called when the far side sends what cannot be understood
 */
export function createChannelLink(
  socket: Socket,
  received: Buffer,
  malformed: (error: Error) => void,
): ChannelLink {
  const sessions = new Map<number, SessionEvents>();
  const taken = new Set<number>();
  let lastNumber = -1;
  let refusedChannels = 0;
  /** The beginning of a message. */
  let pending: Buffer | undefined;
  /** The data of a message that has arrived in part. */
  let arriving: DataHeader | undefined;

  const channelNumbers: ChannelNumbers = {
    add() {
      do lastNumber = (lastNumber + 1) % 0x7fff_ffff;
      while (taken.has(lastNumber));
      taken.add(lastNumber);
      return lastNumber;
    },
    remove: (channel) => void taken.delete(channel),
  };

  function send(type: number, ...fields: Parameters<typeof encodeMessage>[1][]): void {
    if (socket.writable) socket.write(encodeMessage(type, ...fields));
  }

  // What is left of these when the forwarding channels have taken theirs is about sessions.
  const handlers: ChannelHandlers = {
    CHANNEL_OPEN_CONFIRMATION: (_, info) => sessions.get(info.recipient)?.opened(info),
    CHANNEL_OPEN_FAILURE: (_, recipient, reason, description) =>
      sessions.get(recipient)?.refused(reason, description),
    CHANNEL_DATA: (_, recipient, data) => sessions.get(recipient)?.data(data, "stdout"),
    CHANNEL_WINDOW_ADJUST: () => {},
    CHANNEL_EOF: () => {},
    CHANNEL_CLOSE: (_, recipient) => sessions.get(recipient)?.closed(),
    // Those of sessions are dispatched by themselves.
    CHANNEL_REQUEST: () => {},
  };

  // `createChannels` uses nothing of ssh2's protocol but these, which are not about encryption.
  const protocol = {
    _handlers: handlers,
    directTcpip(channel, window, packetBytes, { srcIP, srcPort, dstIP, dstPort }) {
      const from = [window, packetBytes, dstIP, dstPort, srcIP, srcPort] as const;
      send(MESSAGE.channelOpen, "direct-tcpip", channel, ...from);
    },
    openssh_directStreamLocal(channel, window, packetBytes, { socketPath }) {
      const type = "direct-streamlocal@openssh.com";
      // Two reserved fields follow.
      send(MESSAGE.channelOpen, type, channel, window, packetBytes, socketPath, "", 0);
    },
    channelData(channel, data) {
      if (!socket.writable) return;
      socket.write(dataHeader(channel, data.length));
      socket.write(data);
    },
    channelWindowAdjust: (channel, amount) => send(MESSAGE.channelWindowAdjust, channel, amount),
    channelEOF: (channel) => send(MESSAGE.channelEof, channel),
    channelClose: (channel) => send(MESSAGE.channelClose, channel),
    channelFailure: (channel) => send(MESSAGE.channelFailure, channel),
  } satisfies Omit<Protocol, NotAboutChannels> as unknown as Protocol;

  function dispatch(message: MessageReader): void {
    switch (message.type) {
      case MESSAGE.channelOpenConfirmation: {
        const [recipient, sender] = [message.number(), message.number()];
        const [window, packetSize] = [message.number(), message.number()];
        const info = { recipient, sender, window, packetSize };
        return handlers.CHANNEL_OPEN_CONFIRMATION(protocol, info);
      }
      case MESSAGE.channelOpenFailure: {
        const [recipient, reason] = [message.number(), message.number()];
        refusedChannels += 1;
        return handlers.CHANNEL_OPEN_FAILURE(protocol, recipient, reason, visible(message.text()));
      }
      case MESSAGE.channelData:
        return handlers.CHANNEL_DATA(protocol, message.number(), message.bytes());
      case MESSAGE.channelExtendedData: {
        const session = sessions.get(message.number());
        message.number();
        return session?.data(message.bytes(), "stderr");
      }
      case MESSAGE.channelWindowAdjust:
        return handlers.CHANNEL_WINDOW_ADJUST(protocol, message.number(), message.number());
      case MESSAGE.channelEof:
        return handlers.CHANNEL_EOF(protocol, message.number());
      case MESSAGE.channelClose:
        return handlers.CHANNEL_CLOSE(protocol, message.number());
      case MESSAGE.channelRequest: {
        const [recipient, name, wantsReply] = [message.number(), message.text(), message.flag()];
        const session = sessions.get(recipient);
        if (session) return session.request(name, wantsReply, message);
        return handlers.CHANNEL_REQUEST?.(protocol, recipient, name, wantsReply, undefined);
      }
      case MESSAGE.channelSuccess:
      case MESSAGE.channelFailure:
        return sessions.get(message.number())?.answered(message.type === MESSAGE.channelSuccess);
      default:
      // The master passes on nothing else that would concern us.
    }
  }

  /** Takes what there is of the data of a message that has begun. Returns the rest. */
  function takeData(buffer: Buffer): Buffer {
    if (arriving === undefined) return buffer;
    const { recipient, bytesLeft } = arriving;
    const data = buffer.subarray(0, bytesLeft);
    arriving =
      data.length < bytesLeft ? { recipient, bytesLeft: bytesLeft - data.length } : undefined;
    if (data.length > 0) handlers.CHANNEL_DATA(protocol, recipient, data);
    return buffer.subarray(data.length);
  }

  function onData(chunk: Buffer): void {
    let buffer = pending ? Buffer.concat([pending, chunk]) : chunk;
    pending = undefined;
    try {
      buffer = takeData(buffer);
      while (buffer.length >= 4) {
        const length = buffer.readUInt32BE(0);
        if (length < 2 || length > MAX_MESSAGE_BYTES)
          throw new RangeError("a message of no length");
        const isWhole = buffer.length >= 4 + length;
        const header = isWhole ? undefined : readDataHeader(buffer);
        if (header !== undefined) {
          // Nothing is encrypted, so that data need not wait for the rest of its message.
          arriving = header;
          buffer = takeData(buffer.subarray(DATA_HEADER_BYTES));
          continue;
        }
        if (!isWhole) break;
        dispatch(readMessage(buffer.subarray(4, 4 + length)));
        buffer = buffer.subarray(4 + length);
      }
    } catch (error) {
      socket.off("data", onData);
      malformed(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    if (buffer.length > 0) pending = buffer;
  }

  if (received.length > 0) onData(received);
  socket.on("data", onData);
  socket.resume();

  return {
    internals: { protocol, channelNumbers, socket },
    openSession(window, packetBytes, events) {
      const channel = channelNumbers.add(() => {});
      sessions.set(channel, events);
      send(MESSAGE.channelOpen, "session", channel, window, packetBytes);
      return channel;
    },
    send,
    forget(channel) {
      sessions.delete(channel);
      channelNumbers.remove(channel);
    },
    get refusedChannels() {
      return refusedChannels;
    },
    get sessions() {
      return sessions.size;
    },
    get bytesRead() {
      return socket.bytesRead;
    },
  };
}

/** The far side's words reach a terminal: no control characters, and not without end. */
function visible(text: string): string {
  return text.replace(/\p{C}/gu, "").slice(0, 200);
}
