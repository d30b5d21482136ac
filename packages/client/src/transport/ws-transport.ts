import WebSocket from "ws";
import { countOfSocket, countOfStream } from "./byte-count.ts";
import { privateLookup } from "./private-lookup.ts";
import { guardStream } from "./stream-guard.ts";
import { tlsConnection } from "./tls-connection.ts";
import { readTlsPins } from "./tls-pin.ts";
import type { ClientRequest, ClientRequestArgs, IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { ClientOptions, RawData } from "ws";
import type { ByteCount } from "./byte-count.ts";
import type { Transport, TransportListener, TransportOptions } from "./transport.ts";

/** A peer that does not answer the closing handshake for this long is terminated. */
const CLOSE_TIMEOUT_MS = 1_000;

/**
 * WebSocket transport over `ws`. Sends no `Origin` (a Gateway takes whoever does for a browser) and
 * offers no compression.
 */
export function createWsTransport(url: string, options: TransportOptions): Transport {
  const { stream } = options;
  let listener: TransportListener | undefined;
  let socket: Duplex | undefined;
  let bytes: ByteCount | undefined;
  let corked = false;
  const handshake = new AbortController();
  let failure: Error | undefined;
  let refusal: { httpStatus: number; retryAfterMs: number | undefined } | undefined;

  const webSocket = new WebSocket(url, webSocketOptions(url, options, handshake.signal));

  webSocket.on("upgrade", (response: IncomingMessage) => {
    // Over TLS this is the socket of Node that runs on the stream.
    socket = response.socket;
    if (response.socket !== stream) bytes = countOfSocket(response.socket);
  });
  webSocket.on("open", () => {
    if (stream) bytes ??= countOfStream(stream, webSocket);
    listener?.opened();
  });
  webSocket.on("message", (data: RawData) => listener?.frame(frameText(data)));
  webSocket.on("unexpected-response", (request: ClientRequest, response: IncomingMessage) => {
    refusal = {
      httpStatus: response.statusCode ?? 0,
      retryAfterMs: retryAfterMs(response.headers["retry-after"]),
    };
    response.resume();
    request.destroy();
    webSocket.terminate();
  });
  webSocket.on("error", failed);
  webSocket.on("close", (code, reason) => ended(code, reason.toString("utf8")));
  const guard = stream && guardStream(stream, webSocket, { failed, stuck: () => ended(1006, "") });

  function failed(cause: Error): void {
    // The first one is the cause; what follows from it says less.
    failure ??= cause;
  }

  function ended(code: number, reason: string): void {
    handshake.abort();
    guard?.release();
    const told = listener;
    listener = undefined;
    told?.closed({ code, reason, error: failure, ...refusal });
  }

  function uncork(): void {
    corked = false;
    socket?.uncork();
  }

  return {
    listen(newListener) {
      listener = newListener;
    },
    send(text) {
      if (webSocket.readyState !== WebSocket.OPEN) return;
      if (socket && !corked) {
        // One write for all frames of this turn: nextTick comes after the promise jobs under way.
        corked = true;
        socket.cork();
        process.nextTick(uncork);
      }
      webSocket.send(text);
      bytes?.sent(text);
    },
    ping() {
      if (webSocket.readyState === WebSocket.OPEN) webSocket.ping();
    },
    get bytesRead() {
      return bytes?.read ?? 0;
    },
    get bytesWritten() {
      return bytes?.written ?? 0;
    },
    get bufferedBytes() {
      return webSocket.bufferedAmount;
    },
    close(code, reason) {
      webSocket.close(code, reason);
      guard?.expectClose(2 * CLOSE_TIMEOUT_MS);
    },
    terminate() {
      webSocket.terminate();
      guard?.expectClose(CLOSE_TIMEOUT_MS);
    },
  };
}

/** `closeTimeout` is an option of ws that its types do not have yet. */
type WsOptions = ClientOptions & { closeTimeout: number } & Pick<ClientRequestArgs, "lookup">;

function webSocketOptions(url: string, options: TransportOptions, signal: AbortSignal): WsOptions {
  return {
    perMessageDeflate: false,
    maxPayload: options.maxPayloadBytes,
    followRedirects: false,
    closeTimeout: CLOSE_TIMEOUT_MS,
    ...connectionOptions(url, options, signal),
  };
}

/** Node's http takes a callback here; the types of ws describe only the form that returns a socket. */
type CreateConnection = NonNullable<ClientOptions["createConnection"]>;

function connectionOptions(
  url: string,
  { allowPublicPlaintext, stream, tlsFingerprint }: TransportOptions,
  signal: AbortSignal,
): Pick<WsOptions, "createConnection" | "lookup"> {
  if (url.startsWith("wss:")) {
    const read = readTlsPins(tlsFingerprint);
    if (!read.ok) throw new TypeError(read.fault);
    const { pins } = read;
    const createConnection = tlsConnection({ pins, stream, signal });
    return { createConnection: createConnection as unknown as CreateConnection };
  }
  // http reads and writes any stream; only its types ask for a socket.
  if (stream) return { createConnection: (() => stream) as unknown as CreateConnection };
  return allowPublicPlaintext ? {} : { lookup: privateLookup() };
}

function frameText(data: RawData): string {
  if (Buffer.isBuffer(data)) return data.toString("utf8");
  return Array.isArray(data) ? Buffer.concat(data).toString("utf8") : Buffer.from(data).toString();
}

function retryAfterMs(header: string | undefined): number | undefined {
  const seconds = Number(header);
  return header !== undefined && Number.isFinite(seconds) && seconds >= 0
    ? seconds * 1000
    : undefined;
}
