import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { once } from "node:events";
import { WebSocketServer } from "ws";
import { helloOk } from "./fake-gateway.ts";
import { TEST_CERTIFICATE, TEST_KEY } from "./test-certificate.ts";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { TlsOptions } from "node:tls";
import type { WebSocket } from "ws";

export interface WsGateway extends AsyncDisposable {
  readonly url: string;
  /** For streams that come another way than through its port. */
  readonly server: Server;
  readonly upgrades: IncomingMessage[];
  readonly sockets: WebSocket[];
  /** Raw chunks as they arrived after the upgrade. */
  readonly chunks: number[];
  readonly texts: string[];
}

export interface WsGatewayOptions {
  /** @default a free one */
  port?: number;
  /** `true` for the certificate of the tests, or what a TLS server takes. */
  tls?: boolean | TlsOptions;
  /** Sends frames as binary messages. */
  binary?: boolean;
  onRequest?: (frame: { id: string; method: string }, socket: WebSocket) => void;
}

/** A real WebSocket server that shakes hands and leaves the rest to the test. */
export async function startWsGateway(options: WsGatewayOptions = {}): Promise<WsGateway> {
  const http: Server = options.tls
    ? createHttpsServer(
        options.tls === true ? { cert: TEST_CERTIFICATE, key: TEST_KEY } : options.tls,
      )
    : createHttpServer();
  const server = new WebSocketServer({ server: http });
  const upgrades: IncomingMessage[] = [];
  const sockets: WebSocket[] = [];
  const chunks: number[] = [];
  const texts: string[] = [];
  const send = (socket: WebSocket, frame: object): void =>
    socket.send(JSON.stringify(frame), { binary: options.binary ?? false });
  server.on("connection", (socket, request) => {
    upgrades.push(request);
    sockets.push(socket);
    request.socket.on("data", (chunk: Buffer) => void chunks.push(chunk.length));
    send(socket, { type: "event", event: "connect.challenge", payload: { nonce: "n", ts: 1 } });
    socket.on("message", (data) => {
      const text = (data as Buffer).toString();
      texts.push(text);
      const frame = JSON.parse(text) as { id: string; method: string };
      if (frame.method !== "connect") return options.onRequest?.(frame, socket);
      return send(socket, { type: "res", id: frame.id, ok: true, payload: helloOk() });
    });
  });
  http.listen(options.port ?? 0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  return {
    url: `${options.tls ? "wss" : "ws"}://127.0.0.1:${port}`,
    server: http,
    upgrades,
    sockets,
    chunks,
    texts,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.terminate();
      http.close();
      http.closeAllConnections();
      await once(http, "close");
    },
  };
}
