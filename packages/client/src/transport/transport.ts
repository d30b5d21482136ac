import type { Duplex } from "node:stream";

/** Code of the error of a plaintext dial whose name leads out of the private network. */
export const PUBLIC_ADDRESS_CODE = "ERR_PUBLIC_ADDRESS";

/** Why a {@link Transport} ended. */
export interface TransportClose {
  /** Close code of the peer; 1006 when the line broke without one. */
  readonly code: number;
  readonly reason: string;
  /** What the carrier reported before it ended, for example `ECONNREFUSED`. */
  readonly error: Error | undefined;
  /** Status of an HTTP answer that came instead of an upgrade. */
  readonly httpStatus?: number | undefined;
  /** `Retry-After` of that answer. */
  readonly retryAfterMs?: number | undefined;
}

/** What a {@link Transport} tells. `closed` comes exactly once and is the last. */
export interface TransportListener {
  opened(): void;
  /** One frame, text or binary, as text. */
  frame(text: string): void;
  closed(close: TransportClose): void;
}

/** What carries frames: a WebSocket, a tunnel's channel, or a linked pair in memory. */
export interface Transport {
  /** Who is told; set once, in the turn of the loop that created the transport. */
  listen(listener: TransportListener): void;
  /** Sends one frame. Frames of one turn of the loop leave together where the carrier can do so. */
  send(text: string): void;
  /** Asks for a sign of life that counts in {@link Transport.bytesRead}. */
  ping(): void;
  /** Bytes that have arrived so far, those of unfinished frames and of pongs included. */
  readonly bytesRead: number;
  /** Bytes handed to the network so far. */
  readonly bytesWritten: number;
  /** Bytes accepted by `send` and not yet handed to the network. */
  readonly bufferedBytes: number;
  /** Ends with a closing handshake. */
  close(code: number, reason: string): void;
  /** Ends without one. */
  terminate(): void;
}

/** Limits that a transport has to hold. */
export interface TransportOptions {
  /** A larger frame ends the connection with 1009. */
  readonly maxPayloadBytes: number;
  /** The one or two certificates or public keys to accept on `wss:`; see the option of the client. */
  readonly tlsFingerprint?: string | readonly string[] | undefined;
  /** Plaintext may go to a name that resolves to a public address. @default false */
  readonly allowPublicPlaintext?: boolean | undefined;
  /**
   * Runs on this stream instead of dialling: nothing is looked up, and no port is opened. It belongs
   * to the transport from now on and is destroyed with it.
   */
  readonly stream?: Duplex | undefined;
}

/** Begins to dial `url` and returns at once. */
export type TransportFactory = (url: string, options: TransportOptions) => Transport;
