/** What the Gateway knows of a connected socket; one file adapts `ws` to it. */
export interface PeerSocket {
  /** Hands one text frame over; frames of the same turn of the loop leave in one write. */
  send(text: string): void;
  /**
   * Hands over a frame that nobody waits for: it leaves with the next frame to this peer, or within
   * a few milliseconds. Order is kept.
   */
  sendSoon(text: string): void;
  ping(): void;
  /** Stops and resumes reading from the peer. */
  pause(): void;
  resume(): void;
  /** With a closing handshake; the reason is cut to what the protocol allows. */
  close(code: number, reason: string): void;
  /** Without one. */
  terminate(): void;
  /** Bytes that were sent but have not left this process. */
  readonly bufferedBytes: number;
  /** Bytes that have arrived, ever. */
  readonly bytesRead: number;
  /** Bytes handed to the socket, ever, whether or not they have left. */
  readonly bytesWritten: number;
}

/** Whoever a socket's frames go to; it changes once, when the handshake is done. */
export interface PeerSocketOwner {
  onText(text: string): void;
  /** All that was buffered beyond the high-water mark has left. */
  onDrain?(): void;
  onClose(code: number, reason: string): void;
}
