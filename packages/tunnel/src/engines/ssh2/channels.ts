import { TunnelError } from "../../errors.ts";
import type { Destination } from "../engine.ts";
import { CHANNEL_PACKET_BYTES, type ChannelCarrier, SshChannel } from "./channel.ts";
import type { ChannelHandlers, Ssh2Internals } from "./internals.ts";
import { serverText } from "./server-text.ts";
import { fullWindows, type WindowPolicy } from "./window-policy.ts";

/** Below this much unsent, channels may write again. */
const LOW_WATER_BYTES = 256 * 1024;

/** Who takes less in one message would have us send nothing but headers. */
const MIN_PACKET_BYTES = 64;

/** Reasons of SSH_MSG_CHANNEL_OPEN_FAILURE, RFC 4254 section 5.1. */
const OPEN_FAILURE = { prohibited: 1, connectFailed: 2, unknownType: 3, shortage: 4 } as const;

/** The forwarding channels of one connection. */
export interface Channels {
  open(destination: Destination, signal: AbortSignal | undefined): Promise<SshChannel>;
  /**
   * Ends every channel, and every one that is being opened. A channel hears of `error` unless the end
   * `isExpected`: whoever closes a tunnel knows that its streams end.
   */
  lost(error: TunnelError, isExpected?: boolean): void;
  readonly count: number;
}

interface Opening {
  readonly destination: Destination;
  /** What the far side may send ahead of the reader. */
  readonly windowBytes: number;
  resolve(channel: SshChannel): void;
  reject(error: TunnelError): void;
}

/**
 * Serves forwarding channels on an authenticated connection: the messages about them come here, those
 * about sessions still go to ssh2. Its own channel class has no way to tell an abort from an end, and
 * costs two streams for each connection.
 *
 * @param windows how far ahead of their readers the far side may send
 */
export function createChannels(
  { protocol, channelNumbers, socket, onNewKeys }: Ssh2Internals,
  windows: WindowPolicy = fullWindows,
): Channels {
  const opening = new Map<number, Opening>();
  const open = new Map<number, SshChannel>();
  /** Given up while being opened; the confirmation is answered with a close. */
  const abandoned = new Set<number>();
  const waiting: (() => void)[] = [];
  let isCorked = false;

  const carrier: ChannelCarrier = {
    protocol,
    windows,
    get unsentBytes() {
      return socket.writableLength;
    },
    get isExchangingKeys() {
      return protocol._kexinit !== undefined;
    },
    onDrain: (callback) => void waiting.push(callback),
    cork() {
      if (isCorked) return;
      isCorked = true;
      socket.cork();
      process.nextTick(uncork);
    },
    forget(channel) {
      open.delete(channel);
      windows.end(channel);
      channelNumbers.remove(channel);
    },
  };

  function uncork(): void {
    isCorked = false;
    socket.uncork();
    if (waiting.length === 0 || carrier.isExchangingKeys) return;
    if (socket.writableLength <= LOW_WATER_BYTES) drained();
  }

  function drained(): void {
    for (const callback of waiting.splice(0)) callback();
  }
  socket.on("drain", drained);
  onNewKeys?.(drained);

  function take(channel: number): Opening | undefined {
    const found = opening.get(channel);
    opening.delete(channel);
    return found;
  }

  const handlers: ChannelHandlers = protocol._handlers;
  const theirs = { ...handlers };
  handlers.CHANNEL_OPEN_CONFIRMATION = (from, info) => {
    const found = take(info.recipient);
    if (!found && !abandoned.delete(info.recipient)) {
      theirs.CHANNEL_OPEN_CONFIRMATION(from, info);
      return;
    }
    const ids = { local: info.recipient, remote: info.sender };
    const packetBytes = Math.min(info.packetSize, CHANNEL_PACKET_BYTES);
    const { window } = info;
    const channel = new SshChannel(carrier, ids, found?.windowBytes ?? 0, { window, packetBytes });
    open.set(info.recipient, channel);
    windows.confirmed(info.recipient);
    if (found && packetBytes >= MIN_PACKET_BYTES) {
      found.resolve(channel);
      return;
    }
    channel.destroy();
    found?.reject(openFailure(found.destination, OPEN_FAILURE.prohibited, "no room in a message"));
  };
  handlers.CHANNEL_OPEN_FAILURE = (from, recipient, reason, description) => {
    const found = take(recipient);
    if (!found && !abandoned.delete(recipient)) {
      theirs.CHANNEL_OPEN_FAILURE(from, recipient, reason, description);
      return;
    }
    carrier.forget(recipient);
    found?.reject(openFailure(found.destination, reason, serverText(description)));
  };
  handlers.CHANNEL_DATA = (from, recipient, data) => {
    const channel = open.get(recipient);
    if (channel) channel.received(data);
    else theirs.CHANNEL_DATA(from, recipient, data);
  };
  handlers.CHANNEL_WINDOW_ADJUST = (from, recipient, amount) => {
    const channel = open.get(recipient);
    if (channel) channel.windowGrew(amount);
    else theirs.CHANNEL_WINDOW_ADJUST(from, recipient, amount);
  };
  handlers.CHANNEL_EOF = (from, recipient) => {
    const channel = open.get(recipient);
    if (channel) channel.receivedEof();
    else theirs.CHANNEL_EOF(from, recipient);
  };
  handlers.CHANNEL_CLOSE = (from, recipient) => {
    const channel = open.get(recipient);
    if (channel) channel.receivedClose();
    else if (opening.has(recipient) || abandoned.has(recipient)) {
      // Some servers refuse like this.
      handlers.CHANNEL_OPEN_FAILURE(from, recipient, OPEN_FAILURE.connectFailed, "");
    } else theirs.CHANNEL_CLOSE(from, recipient);
  };
  handlers.CHANNEL_REQUEST = (from, recipient, type, wantsReply, data) => {
    const channel = open.get(recipient);
    // sshd asks so whether we are alive (ClientAliveInterval), and ends who leaves it unanswered.
    if (channel) channel.requested(wantsReply);
    else theirs.CHANNEL_REQUEST?.(from, recipient, type, wantsReply, data);
  };

  return {
    open: (destination, signal) =>
      new Promise<SshChannel>((resolve, reject) => {
        // ssh2 calls it when the connection ends; `lost` has told everybody by then.
        const id = channelNumbers.add(() => {});
        const settle = (): void => signal?.removeEventListener("abort", abort);
        const abort = (): void => {
          opening.delete(id);
          abandoned.add(id);
          reject(signal?.reason);
        };
        signal?.addEventListener("abort", abort, { once: true });
        const windowBytes = windows.begin(id);
        opening.set(id, {
          destination,
          windowBytes,
          resolve: (channel) => {
            settle();
            resolve(channel);
          },
          reject: (error) => {
            settle();
            reject(error);
          },
        });
        carrier.cork();
        requestChannel(id, destination, windowBytes);
      }),
    lost(error, isExpected = false) {
      socket.off("drain", drained);
      for (const one of opening.values()) one.reject(error);
      opening.clear();
      abandoned.clear();
      for (const channel of open.values()) channel.lost(isExpected ? undefined : error);
      open.clear();
      drained();
    },
    get count() {
      return open.size;
    },
  };

  function requestChannel(id: number, destination: Destination, windowBytes: number): void {
    if ("socketPath" in destination) {
      const { socketPath } = destination;
      protocol.openssh_directStreamLocal(id, windowBytes, CHANNEL_PACKET_BYTES, { socketPath });
      return;
    }
    protocol.directTcpip(id, windowBytes, CHANNEL_PACKET_BYTES, {
      srcIP: "127.0.0.1",
      srcPort: 0,
      dstIP: destination.host,
      dstPort: destination.port,
    });
  }
}

function openFailure(destination: Destination, reason: number, description: string): TunnelError {
  const place =
    "socketPath" in destination
      ? destination.socketPath
      : `${destination.host}:${destination.port}`;
  const said = description === "" ? "" : ` (${description})`;
  switch (reason) {
    case OPEN_FAILURE.connectFailed:
      return new TunnelError("REMOTE_PORT_CLOSED", `nothing answers on ${place} there${said}.`, {
        hint: `Check on the far side that something listens on ${place}.`,
      });
    case OPEN_FAILURE.shortage:
      return new TunnelError(
        "REMOTE_PORT_CLOSED",
        `the SSH server has no room for ${place}${said}.`,
      );
    case OPEN_FAILURE.unknownType:
      return new TunnelError(
        "FORWARD_REFUSED",
        `the SSH server knows no forwards to ${place}${said}.`,
        { hint: "Forwards to Unix sockets need OpenSSH 6.7 or later on the far side." },
      );
    default:
      return new TunnelError(
        "FORWARD_REFUSED",
        `the SSH server refuses forwards to ${place}${said}.`,
        {
          hint: "See AllowTcpForwarding and PermitOpen in its sshd_config, and permitopen in authorized_keys.",
        },
      );
  }
}
