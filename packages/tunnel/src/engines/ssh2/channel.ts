import { Duplex } from "node:stream";
import type { Protocol } from "./internals.ts";
import { CHANNEL_WINDOW_BYTES, type WindowPolicy } from "./window-policy.ts";

/**
 * What was read is granted anew in parts of the window: larger ones would leave a long link idle while
 * the far side waits for the next.
 */
const GRANTS_PER_WINDOW = 16;
/** Less is not worth a message. */
const MIN_GRANT_BYTES = 32 * 1024;
/** Largest data message, in both directions: what every implementation takes (RFC 4253 section 6.1). */
export const CHANNEL_PACKET_BYTES = 32 * 1024;
/** What a far side may miscount before the channel ends, as OpenSSH has it. */
const OVERRUN_BYTES = CHANNEL_WINDOW_BYTES / 10;
/** Above this much unsent on the connection, its channels take no more; the slow link slows the writers. */
const CONNECTION_HIGH_WATER_BYTES = 1024 * 1024;
const STREAM_HIGH_WATER_BYTES = 256 * 1024;
/** What is smaller costs more to keep than to join. */
const SMALL_BYTES = 1024;

/** What a channel needs of the connection it is on. */
export interface ChannelCarrier {
  readonly protocol: Protocol;
  readonly windows: WindowPolicy;
  /** Bytes that wait to be written to the network. */
  readonly unsentBytes: number;
  /** Whether data would have to wait for new keys. */
  readonly isExchangingKeys: boolean;
  /** Calls back once, when little waits any more and there are keys. */
  onDrain(callback: () => void): void;
  /** Collects the packets of this turn of the loop into one write. */
  cork(): void;
  /** The far side has said its last word, and so have we. */
  forget(channel: number): void;
}

/**
 * One direct-tcpip or direct-streamlocal channel as a stream. Ends of both directions are their own:
 * a FIN passes as EOF and back. Whoever does not read stops the far side after
 * {@link CHANNEL_WINDOW_BYTES} at most and what one stream buffers.
 */
export class SshChannel extends Duplex {
  readonly #carrier: ChannelCarrier;
  readonly #localId: number;
  readonly #remoteId: number;
  readonly #packetBytes: number;
  /** What we may still send. */
  #window: number;
  /** What the far side may send ahead of the reader. */
  #windowBytes: number;
  /** What the far side may still send. */
  #room: number;
  /** What was read since the far side was last told. */
  #credit = 0;
  /** Small messages of this turn that nobody takes yet. */
  #small: Buffer[] = [];
  /** What stands in the stream's buffer since it said that it is full. */
  #withheld = 0;
  #isFull = false;
  #pending: { data: Buffer; done: (error?: Error | null) => void } | undefined;
  #sentClose = false;
  #remoteEnded = false;
  #remoteClosed = false;

  constructor(
    carrier: ChannelCarrier,
    ids: { local: number; remote: number },
    ownWindow: number,
    { window, packetBytes }: { window: number; packetBytes: number },
  ) {
    super({ highWaterMark: STREAM_HIGH_WATER_BYTES, allowHalfOpen: true });
    this.#carrier = carrier;
    this.#localId = ids.local;
    this.#remoteId = ids.remote;
    this.#windowBytes = ownWindow;
    this.#room = ownWindow;
    this.#window = window;
    this.#packetBytes = packetBytes;
  }

  // What the far side sends.

  received(data: Buffer): void {
    // Nothing may follow an end; a stream that is pushed to then would fail before anybody listens.
    if (this.destroyed || this.#remoteEnded) return;
    this.#room -= data.length;
    if (this.#room < -OVERRUN_BYTES) {
      this.destroy(new Error("the far side has sent more than its window allows"));
      return;
    }
    if (data.length < SMALL_BYTES && this.readableLength > 0) {
      if (this.#small.push(data) === 1) process.nextTick(() => this.#join());
      return;
    }
    this.#join();
    this.#keep(data);
  }

  #join(): void {
    if (this.#small.length === 0) return;
    const data = Buffer.concat(this.#small);
    this.#small = [];
    if (!this.destroyed) this.#keep(data);
  }

  #keep(data: Buffer): void {
    if (this.push(data) && !this.#isFull) {
      this.#grant(data.length);
      return;
    }
    this.#isFull = true;
    this.#withheld += data.length;
  }

  windowGrew(bytes: number): void {
    this.#window += bytes;
    this.#flush();
  }

  /** There is no request that a forward knows. */
  requested(wantsReply: boolean): void {
    if (wantsReply && !this.#sentClose) this.#carrier.protocol.channelFailure(this.#remoteId);
  }

  receivedEof(): void {
    this.#join();
    this.#remoteEnded = true;
    if (!this.destroyed) this.push(null);
  }

  /** Both directions are over on the far side. */
  receivedClose(): void {
    this.#join();
    this.#remoteEnded = true;
    this.#remoteClosed = true;
    this.#carrier.forget(this.#localId);
    this.#sendClose();
    if (this.destroyed) return;
    this.push(null);
    if (this.readableEnded) this.#end();
    else this.once("end", () => this.#end());
  }

  /** The connection is gone. */
  lost(error: Error | undefined): void {
    this.#sentClose = true;
    this.#remoteClosed = true;
    this.destroy(error);
  }

  /** After the last byte was read. Like a socket, it fails only where something was left unsent. */
  #end(): void {
    if (this.writableLength === 0) {
      this.destroy();
      return;
    }
    const error = new Error("the far side has closed the channel");
    this.destroy(Object.assign(error, { code: "EPIPE" }));
  }

  // Stream.

  override _read(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    const bytes = this.#withheld;
    this.#withheld = 0;
    this.#grant(bytes);
  }

  override _write(data: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#pending = { data, done };
    this.#flush();
  }

  override _writev(
    chunks: { chunk: Buffer; encoding: BufferEncoding }[],
    done: (error?: Error | null) => void,
  ): void {
    const [first, ...more] = chunks;
    const data =
      first !== undefined && more.length === 0
        ? first.chunk
        : Buffer.concat(chunks.map(({ chunk }) => chunk));
    this.#pending = { data, done };
    this.#flush();
  }

  override _final(done: (error?: Error | null) => void): void {
    if (!this.#sentClose) {
      this.#carrier.cork();
      this.#carrier.protocol.channelEOF(this.#remoteId);
    }
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const pending = this.#pending;
    this.#pending = undefined;
    this.#sendClose();
    pending?.done(error ?? new Error("the channel is closed"));
    done(error);
  }

  #flush(): void {
    const pending = this.#pending;
    // After a close nothing may be sent; what waits fails when the last byte was read.
    if (pending === undefined || this.#sentClose) return;
    const { protocol } = this.#carrier;
    let { data } = pending;
    // ssh2 would keep whatever it is given until the far side has agreed to new keys.
    if (this.#carrier.isExchangingKeys) {
      this.#carrier.onDrain(() => this.#flush());
      return;
    }
    this.#carrier.cork();
    while (data.length > 0 && this.#window > 0) {
      const bytes = Math.min(data.length, this.#window, this.#packetBytes);
      protocol.channelData(this.#remoteId, bytes === data.length ? data : data.subarray(0, bytes));
      this.#window -= bytes;
      data = data.subarray(bytes);
    }
    if (data.length > 0) {
      pending.data = data;
      return;
    }
    this.#pending = undefined;
    if (this.#carrier.unsentBytes > CONNECTION_HIGH_WATER_BYTES)
      this.#carrier.onDrain(pending.done);
    else pending.done();
  }

  #grant(bytes: number): void {
    this.#credit += bytes;
    if (this.#sentClose || this.#credit < this.#leastGrant()) return;
    const { windows } = this.#carrier;
    const windowBytes = windows.resize(this.#localId, this.#windowBytes, this.#credit);
    this.#credit += windowBytes - this.#windowBytes;
    this.#windowBytes = windowBytes;
    if (this.#credit < this.#leastGrant()) return;
    this.#carrier.cork();
    this.#carrier.protocol.channelWindowAdjust(this.#remoteId, this.#credit);
    this.#room += this.#credit;
    this.#credit = 0;
  }

  #leastGrant(): number {
    return Math.max(this.#windowBytes / GRANTS_PER_WINDOW, MIN_GRANT_BYTES);
  }

  #sendClose(): void {
    if (this.#sentClose) return;
    this.#sentClose = true;
    this.#carrier.cork();
    this.#carrier.protocol.channelClose(this.#remoteId);
    // Otherwise the number stays taken until the far side has answered.
    if (this.#remoteClosed) this.#carrier.forget(this.#localId);
  }
}
