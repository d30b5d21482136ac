import { GatewayError } from "../errors.ts";
import { printable } from "../handshake/refusal.ts";
import type { Duplex } from "node:stream";

/** What a dial leads to: host and port of the URL, IPv6 without brackets. */
export interface DialAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Opens the byte stream on which the WebSocket runs, for example a channel of an SSH connection. It
 * may take as long as it wants to: the carrier knows how long waiting is worth it, and rejects with
 * an error of its own. One that says `final: true` ends the client for good. Aborting the signal
 * gives the dial up; a stream that comes all the same is destroyed.
 */
export type DialFunction = (
  address: DialAddress,
  options: { readonly signal: AbortSignal },
) => Promise<Duplex>;

/**
 * Resolves when the carrier is there, at once if it is there already, and keeps waiting while it is
 * away. An error that says `final: true` ends the client. Aborting the signal ends the waiting.
 */
export type CarrierReadyFunction = (signal: AbortSignal) => Promise<void>;

/** Who is told how a dial ended; exactly one of the two, unless the dial was given up. */
export interface DialListener {
  opened(stream: Duplex): void;
  failed(cause: unknown): void;
}

/** Dials the host and port of `url` once. Returns the function that gives up; nothing is told after it was called. */
export function startDial(dial: DialFunction, url: string, listener: DialListener): () => void {
  const address = dialAddressOf(url);
  const controller = new AbortController();
  const { signal } = controller;
  async function run(): Promise<void> {
    let stream: Duplex;
    try {
      stream = await dial(address, { signal });
    } catch (cause) {
      if (!signal.aborted) listener.failed(cause);
      return;
    }
    // One that breaks before or after anybody listens to it must not bring down the program.
    stream.on("error", () => {});
    if (signal.aborted) stream.destroy();
    else if (!stream.destroyed) listener.opened(stream);
    else listener.failed(stream.errored ?? new Error("the stream had ended already"));
  }
  void run();
  return () => controller.abort(new GatewayError("CLOSED", "the dial was given up"));
}

/** The error of a client whose carrier could not open a stream. Pure. */
export function carrierFailure(endpoint: string, cause: unknown): GatewayError {
  const { message, hint, final } = shapeOf(cause);
  return new GatewayError("CONNECT_REFUSED", `cannot reach ${endpoint}: ${printable(message)}`, {
    final,
    hint: hint ?? "Check the tunnel or the program that carries the connection.",
    cause,
  });
}

/** The errors of a carrier are known by what they say, not by their class: no package is imported. */
function shapeOf(cause: unknown): { message: string; hint: string | undefined; final: boolean } {
  if (typeof cause !== "object" || cause === null) {
    return { message: String(cause), hint: undefined, final: false };
  }
  const { message, hint, final } = cause as Partial<Record<"message" | "hint" | "final", unknown>>;
  return {
    message: typeof message === "string" && message !== "" ? message : "the carrier gave no reason",
    hint: typeof hint === "string" ? hint : undefined,
    final: final === true,
  };
}

/** Whether another attempt of the carrier cannot succeed either. */
export function isFinalFailure(cause: unknown): boolean {
  return shapeOf(cause).final;
}

function dialAddressOf(url: string): DialAddress {
  const { hostname, port, protocol } = new URL(url);
  return {
    host: hostname.replace(/^\[|\]$/g, ""),
    // URL drops the port that is the scheme's own.
    port: Number(port || (protocol === "wss:" ? 443 : 80)),
  };
}
