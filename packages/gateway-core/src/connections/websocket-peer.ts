import type { Socket } from "node:net";
import { CLOSE, truncateCloseReason } from "@openclaw/protocol";
import type { RawData, WebSocket } from "ws";
import type { PeerSocket, PeerSocketOwner } from "./peer-socket.ts";

/** The first frames of a peer may wait behind `connect`; so many of them, and no more. */
const PREAUTH_FRAMES = 16;
/** How long a frame that nobody waits for may wait for company. */
const SOON_MS = 5;
/** A peer that does not answer the closing handshake is dropped after so long. */
const CLOSE_TIMEOUT_MS = 1_000;

/** Adapts a `ws` socket: text out of text and binary messages, corked writes, a hard way out. */
export class WebSocketPeer implements PeerSocket {
  /** Set before the first frame can arrive, and once more when the handshake is done. */
  owner: PeerSocketOwner = { onText() {}, onClose() {} };
  readonly #ws: WebSocket;
  readonly #socket: Socket;
  #corked = false;
  #soon: string[] = [];
  #soonTimer: NodeJS.Timeout | undefined;
  #closing: NodeJS.Timeout | undefined;
  /** Until authentication: how large one frame, and all of them together, may be. */
  #preauthLimit: number;

  constructor(ws: WebSocket, socket: Socket, maxPreauthFrameBytes: number) {
    this.#ws = ws;
    this.#socket = socket;
    this.#preauthLimit = maxPreauthFrameBytes;
    socket.setNoDelay(true);
    ws.on("message", (data: RawData) => this.#onMessage(data));
    ws.on("close", (code: number, reason: Buffer) => {
      if (this.#closing) clearTimeout(this.#closing);
      if (this.#soonTimer) clearTimeout(this.#soonTimer);
      socket.off("data", this.#onPreauthData);
      socket.off("drain", this.#onDrain);
      this.owner.onClose(code, reason.toString("utf8"));
    });
    // ws reports what is wrong with the peer's bytes here and closes by itself, with the right code.
    ws.on("error", () => {});
    socket.on("data", this.#onPreauthData);
    socket.on("drain", this.#onDrain);
  }

  /** Lifts the limits that hold before authentication. */
  authenticated(): void {
    this.#preauthLimit = 0;
    this.#socket.off("data", this.#onPreauthData);
  }

  send(text: string): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      if (corked.push(this) === 1) process.nextTick(uncorkAll);
    }
    if (this.#soonTimer) this.#takeAlong();
    this.#ws.send(text);
  }

  sendSoon(text: string): void {
    this.#soon.push(text);
    // Waking a peer costs both sides more than the frame itself.
    this.#soonTimer ??= setTimeout(() => {
      const last = this.#soon.pop();
      if (last !== undefined) this.send(last);
    }, SOON_MS);
  }

  #takeAlong(): void {
    clearTimeout(this.#soonTimer);
    this.#soonTimer = undefined;
    const waiting = this.#soon;
    this.#soon = [];
    for (const text of waiting) this.#ws.send(text);
  }

  uncork(): void {
    this.#corked = false;
    this.#socket.uncork();
  }

  ping(): void {
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.ping();
  }

  pause(): void {
    this.#ws.pause();
  }

  resume(): void {
    this.#ws.resume();
  }

  close(code: number, reason: string): void {
    if (this.#ws.readyState > this.#ws.OPEN) return;
    // A paused socket would never read the peer's answer.
    this.#ws.resume();
    if (this.#soonTimer) this.#takeAlong();
    this.#ws.close(code, truncateCloseReason(reason));
    this.#closing = setTimeout(() => this.terminate(), CLOSE_TIMEOUT_MS);
  }

  terminate(): void {
    this.#ws.terminate();
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }

  get bytesWritten(): number {
    return this.#socket.bytesWritten;
  }

  #onMessage(data: RawData): void {
    // After our own close the peer has nothing to say.
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    // `nodebuffer`, the default binaryType, yields one Buffer a message.
    const buffer = data as Buffer;
    if (this.#preauthLimit > 0 && buffer.length > this.#preauthLimit) {
      this.close(CLOSE.MESSAGE_TOO_BIG, "");
      return;
    }
    this.owner.onText(buffer.toString("utf8"));
  }

  /**
   * `ws` has one size limit for a socket's whole life, the large one. What an unknown peer can make
   * us buffer is bounded here instead.
   */
  #onPreauthData = (): void => {
    // Called once more for the very bytes that authenticated the peer.
    if (this.#preauthLimit > 0 && this.#socket.bytesRead > this.#preauthLimit * PREAUTH_FRAMES) {
      this.close(CLOSE.MESSAGE_TOO_BIG, "");
      this.terminate();
    }
  };

  #onDrain = (): void => this.owner.onDrain?.();
}

const corked: WebSocketPeer[] = [];

function uncorkAll(): void {
  for (const peer of corked.splice(0)) peer.uncork();
}
