import type { Duplex } from "node:stream";
import type { Client } from "ssh2";
import { TunnelError } from "../../errors.ts";

// What this engine uses of ssh2 beyond its documentation, all in one place. The dependency is pinned
// to one version, and `internalsOf` says so clearly if that version looks different one day.

/** Data messages of a connection; each is called with the protocol first. */
export interface ChannelHandlers {
  CHANNEL_OPEN_CONFIRMATION(protocol: Protocol, info: ChannelConfirmation): void;
  CHANNEL_OPEN_FAILURE(
    protocol: Protocol,
    recipient: number,
    reason: number,
    description: string,
  ): void;
  CHANNEL_DATA(protocol: Protocol, recipient: number, data: Buffer): void;
  CHANNEL_WINDOW_ADJUST(protocol: Protocol, recipient: number, amount: number): void;
  CHANNEL_EOF(protocol: Protocol, recipient: number): void;
  CHANNEL_CLOSE(protocol: Protocol, recipient: number): void;
  /** Not where somebody else answers them. */
  CHANNEL_REQUEST?(
    protocol: Protocol,
    recipient: number,
    type: string,
    wantsReply: boolean,
    data: unknown,
  ): void;
}

/** A channel that the far side has opened. */
export interface ChannelConfirmation {
  readonly recipient: number;
  readonly sender: number;
  readonly window: number;
  readonly packetSize: number;
}

/** The protocol object of a client. */
export interface Protocol {
  readonly _handlers: ChannelHandlers;
  /** Set while keys are exchanged. */
  readonly _kexinit: unknown;
  readonly _packetRW: { readonly write: PacketWriter };
  _cipher: OutboundCipher;
  _decipher: InboundDecipher;
  directTcpip(
    channel: number,
    window: number,
    packetSize: number,
    to: { srcIP: string; srcPort: number; dstIP: string; dstPort: number },
  ): void;
  openssh_directStreamLocal(
    channel: number,
    window: number,
    packetSize: number,
    to: { socketPath: string },
  ): void;
  channelData(channel: number, data: Buffer): void;
  channelWindowAdjust(channel: number, amount: number): void;
  channelEOF(channel: number): void;
  channelClose(channel: number): void;
  channelFailure(channel: number): void;
  ping(): void;
}

/** Makes room for a packet, whose payload begins at `allocStart`. */
export interface PacketWriter {
  readonly allocStart: number;
  alloc(payloadBytes: number): Buffer;
  finalize(packet: Buffer): Buffer;
}

export interface OutboundCipher {
  outSeqno: number;
  _onWrite(data: Buffer): void;
}

export interface InboundDecipher {
  inSeqno: number;
}

/** Hands out channel numbers; a function stands for a channel that is being opened. */
export interface ChannelNumbers {
  add(onConnectionEnd: (error?: Error) => void): number;
  remove(channel: number): void;
}

export interface Ssh2Internals {
  readonly protocol: Protocol;
  readonly channelNumbers: ChannelNumbers;
  readonly socket: Duplex;
  /** Calls back after every exchange of keys, where keys are exchanged. */
  readonly onNewKeys?: (callback: () => void) => void;
}

/** The inside of a client that has begun to connect. */
export function internalsOf(client: Client): Ssh2Internals {
  const { _protocol, _chanMgr, _sock } = client as unknown as {
    _protocol?: Protocol;
    _chanMgr?: ChannelNumbers;
    _sock?: Duplex;
  };
  const isKnown =
    typeof _protocol?._handlers?.CHANNEL_DATA === "function" &&
    typeof _protocol.directTcpip === "function" &&
    typeof _chanMgr?.add === "function" &&
    _sock !== undefined;
  if (!isKnown) {
    throw new TunnelError("UNSUPPORTED_SETTING", "this version of ssh2 is not the tested one.", {
      hint: "Install ssh2 1.17.0, or choose the engine `system`.",
    });
  }
  const onNewKeys = (callback: () => void): void => void client.on("handshake", callback);
  return { protocol: _protocol, channelNumbers: _chanMgr, socket: _sock, onNewKeys };
}
