import { timingSafeEqual } from "node:crypto";
import { connect as connectTls } from "node:tls";
import WebSocket from "ws";
import { privateLookup } from "./private-lookup.ts";
import type { ClientRequest, ClientRequestArgs, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import type { ClientOptions, RawData } from "ws";
import type { Transport, TransportListener, TransportOptions } from "./transport.ts";

/** A peer that does not answer the closing handshake for this long is terminated. */
const CLOSE_TIMEOUT_MS = 1_000;

/**
 * WebSocket transport over `ws`. Sends no `Origin` (a Gateway takes whoever does for a browser) and
 * offers no compression.
 */
export function createWsTransport(url: string, options: TransportOptions): Transport {
  let listener: TransportListener | undefined;
  let socket: Socket | undefined;
  let corked = false;
  let failure: Error | undefined;
  let refusal: { httpStatus: number; retryAfterMs: number | undefined } | undefined;

  const webSocket = new WebSocket(url, webSocketOptions(url, options));

  webSocket.on("upgrade", (response: IncomingMessage) => {
    socket = response.socket;
  });
  webSocket.on("open", () => listener?.opened());
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
  webSocket.on("error", (error) => {
    // The first one is the cause; what follows from it says less.
    failure ??= error;
  });
  webSocket.on("close", (code, reason) => {
    listener?.closed({ code, reason: reason.toString("utf8"), error: failure, ...refusal });
    listener = undefined;
  });

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
    },
    ping() {
      if (webSocket.readyState === WebSocket.OPEN) webSocket.ping();
    },
    get bytesRead() {
      return socket?.bytesRead ?? 0;
    },
    get bytesWritten() {
      // Node counts what waits in the stream as written.
      return socket ? socket.bytesWritten - socket.writableLength : 0;
    },
    get bufferedBytes() {
      return webSocket.bufferedAmount;
    },
    close(code, reason) {
      webSocket.close(code, reason);
    },
    terminate() {
      webSocket.terminate();
    },
  };
}

/** `closeTimeout` is an option of ws that its types do not have yet. */
type WsOptions = ClientOptions & { closeTimeout: number } & Pick<ClientRequestArgs, "lookup">;

function webSocketOptions(url: string, options: TransportOptions): WsOptions {
  const pin = options.tlsFingerprint;
  return {
    perMessageDeflate: false,
    maxPayload: options.maxPayloadBytes,
    followRedirects: false,
    closeTimeout: CLOSE_TIMEOUT_MS,
    ...(url.startsWith("ws:") && !options.allowPublicPlaintext ? { lookup: privateLookup() } : {}),
    ...(pin !== undefined && url.startsWith("wss:") ? { createConnection: pinnedTls(pin) } : {}),
  };
}

/** Dials TLS and hands the socket over only after the pin was checked, so no byte goes to a stranger. */
function pinnedTls(pin: string): NonNullable<ClientOptions["createConnection"]> {
  const wanted = Buffer.from(normalizeFingerprint(pin));
  const createConnection = (
    options: ConnectionOptions,
    done: (error: Error | null, socket?: TLSSocket) => void,
  ): void => {
    const { path: _, ...rest } = options;
    // The pin stands in for the certificate authorities.
    const socket = connectTls({ ...rest, rejectUnauthorized: false }, () => {
      const shown = normalizeFingerprint(socket.getPeerX509Certificate()?.fingerprint256 ?? "");
      const seen = Buffer.from(shown);
      socket.removeListener("error", done);
      if (seen.length === wanted.length && timingSafeEqual(seen, wanted)) return done(null, socket);
      socket.destroy();
      const error = new Error(
        `certificate fingerprint is ${shown}, pinned is ${wanted.toString()}`,
      );
      done(Object.assign(error, { code: "ERR_TLS_PIN_MISMATCH" }));
    });
    socket.once("error", done);
  };
  // Node's http takes a callback here; the types of ws describe only the form that returns a socket.
  return createConnection as unknown as NonNullable<ClientOptions["createConnection"]>;
}

function normalizeFingerprint(text: string): string {
  return text.replaceAll(":", "").trim().toLowerCase();
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
