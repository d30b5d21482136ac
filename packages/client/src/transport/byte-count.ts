import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type WebSocket from "ws";

/** What liveness asks of a connection: bytes that came, and bytes that left. */
export interface ByteCount {
  readonly read: number;
  readonly written: number;
  /** A frame was given to the WebSocket. */
  sent(text: string): void;
}

/** A socket of the system counts by itself. */
export function countOfSocket(socket: Socket): ByteCount {
  return {
    get read() {
      return socket.bytesRead;
    },
    get written() {
      // Node counts what waits in the stream as written.
      return socket.bytesWritten - socket.writableLength;
    },
    sent() {},
  };
}

/**
 * Counts for a stream that does not. What came is seen in passing; what left is what was sent less
 * what still waits, headers of frames left aside.
 *
 * To be called once the WebSocket reads from the stream, and not before: whoever listens first is
 * given what came along with the upgrade, and alone.
 */
export function countOfStream(stream: Duplex, webSocket: WebSocket): ByteCount {
  let read = 0;
  let sent = 0;
  let written = 0;
  stream.on("data", (chunk: Buffer) => {
    read += chunk.length;
  });
  return {
    get read() {
      return read;
    },
    get written() {
      // Never back: what waits has headers, too, that were not counted as sent.
      written = Math.max(written, sent - webSocket.bufferedAmount);
      return written;
    },
    sent(text) {
      sent += Buffer.byteLength(text);
    },
  };
}
