import WebSocket from "ws";
import type { Duplex } from "node:stream";

export interface StreamGuardListener {
  /** What the stream itself reported, or that it closed too early. */
  failed(cause: Error): void;
  /** The stream was destroyed and does not say so. */
  stuck(): void;
}

export interface StreamGuard {
  /** The WebSocket is closing: the stream has `graceMs` to say that it is closed. */
  expectClose(graceMs: number): void;
  /** The WebSocket is closed; so is the stream from now on. */
  release(): void;
}

/**
 * Watches the stream under a WebSocket for what a socket of the system never does: break before
 * anybody listens to it, break after everybody has left, or never say that it is closed.
 */
export function guardStream(
  stream: Duplex,
  webSocket: WebSocket,
  listener: StreamGuardListener,
): StreamGuard {
  let stuckTimer: ReturnType<typeof setTimeout> | undefined;
  // Stays, since a carrier may report the end of a stream that is closed here already.
  stream.on("error", listener.failed);
  stream.once("close", () => {
    // Whoever reads the stream knows the cause better, and is told within this turn.
    setImmediate(() => {
      if (webSocket.readyState !== WebSocket.CONNECTING) return;
      listener.failed(new Error("the stream closed before the WebSocket was open"));
      webSocket.terminate();
    });
  });
  return {
    expectClose(graceMs) {
      stuckTimer ??= setTimeout(listener.stuck, graceMs);
    },
    release() {
      clearTimeout(stuckTimer);
      stream.destroy();
    },
  };
}
