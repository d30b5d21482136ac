import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { WebSocket, WebSocketServer } from "ws";

/** How a {@link HostileListener} answers; each asks for more than it is owed. */
export type HostileManner =
  /** Refuses every secret, and asks for the device token beside it. */
  | "asks for the device token"
  /** Says that a password is missing. */
  | "asks for the password"
  /** Says that the token is missing. */
  | "asks for the token"
  /** Says that the device token is wrong. */
  | "asks for another device token"
  /** Asks for the envelope of the older generation. */
  | "asks for an older protocol"
  /** Lets everybody in, and answers whatever it is asked. */
  | "welcomes"
  /** Answers the upgrade with 401 and asks for HTTP credentials. */
  | "asks by HTTP"
  /** Answers the upgrade with a redirect to `redirectTo`. */
  | "redirects"
  /** Never says a word. */
  | "is silent";

export interface HostileListenerOptions {
  readonly manner: HostileManner;
  /** Of redirects. @default 302 */
  readonly status?: number;
  /** Where redirects lead. */
  readonly redirectTo?: string;
  /** Listens with TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** @default any free one */
  readonly port?: number;
}

/** Somebody who listens where a Gateway is looked for, and writes down all that arrives. */
export interface HostileListener extends AsyncDisposable {
  /** `ws:` or `wss:`, on 127.0.0.1. */
  readonly url: string;
  readonly port: number;
  /** Connections so far, also those that said nothing. */
  readonly connections: number;
  /** Upgrades that were asked for so far. */
  readonly upgrades: number;
  /** Frames so far. */
  readonly frames: readonly string[];
  /** All that arrived: request lines, headers, frames unmasked, and bytes that were none of these. */
  heard(): string;
}

const CHALLENGE = {
  type: "event",
  event: "connect.challenge",
  // More than a Gateway says: a client that sends what it is asked for falls for it.
  payload: {
    nonce: "a-nonce-of-somebody-else",
    ts: 1_800_000_000_000,
    capabilities: ["pairing.wait"],
    require: ["token", "password", "deviceToken", "bootstrapToken", "privateKey"],
  },
};

/** Starts a {@link HostileListener} on 127.0.0.1. */
export async function startHostileListener(
  options: HostileListenerOptions,
): Promise<HostileListener> {
  const { manner, tls } = options;
  const server = tls === undefined ? createHttpServer() : createHttpsServer(tls);
  const webSockets = new WebSocketServer({ noServer: true });
  const heard: string[] = [];
  const frames: string[] = [];
  const sockets = new Set<Socket>();
  let upgrades = 0;
  let connections = 0;

  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
  });
  server.on("tlsClientError", () => undefined);
  server.on("clientError", (error: Error & { rawPacket?: Buffer }, socket) => {
    heard.push(error.rawPacket?.toString("latin1") ?? "");
    socket.destroy();
  });
  server.on("request", (request, response) => {
    note(request);
    request.on("data", (data: Buffer) => heard.push(data.toString("latin1")));
    response.writeHead(401, { "www-authenticate": 'Basic realm="gateway"' }).end();
  });
  server.on("upgrade", (request: IncomingMessage, socket: Socket, head: Buffer) => {
    upgrades += 1;
    note(request);
    socket.on("error", () => undefined);
    if (manner === "redirects" || manner === "asks by HTTP") {
      const headers =
        manner === "redirects"
          ? `HTTP/1.1 ${options.status ?? 302} Found\r\nLocation: ${options.redirectTo}\r\n`
          : 'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="gateway"\r\n';
      socket.end(`${headers}Content-Length: 0\r\nConnection: close\r\n\r\n`);
      return;
    }
    webSockets.handleUpgrade(request, socket, head, (webSocket) => converse(webSocket));
  });

  function note({ method, url, rawHeaders }: IncomingMessage): void {
    heard.push(`${method} ${url}`, ...rawHeaders);
  }

  function converse(webSocket: WebSocket): void {
    webSocket.on("error", () => undefined);
    webSocket.on("message", (data: Buffer) => {
      const text = data.toString("utf8");
      heard.push(text);
      frames.push(text);
      const answer = answerTo(text, manner);
      if (answer !== undefined && webSocket.readyState === WebSocket.OPEN) {
        webSocket.send(JSON.stringify(answer));
      }
    });
    if (manner !== "is silent") webSocket.send(JSON.stringify(CHALLENGE));
  }

  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? "ws" : "wss"}://127.0.0.1:${port}`,
    port,
    get connections() {
      return connections;
    },
    get upgrades() {
      return upgrades;
    },
    frames,
    heard: () => heard.join("\n"),
    async [Symbol.asyncDispose]() {
      for (const webSocket of webSockets.clients) webSocket.terminate();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What the listener says to a frame; nothing to what is no request. */
function answerTo(text: string, manner: HostileManner): object | undefined {
  let frame: { type?: unknown; id?: unknown; method?: unknown };
  try {
    frame = JSON.parse(text) as typeof frame;
  } catch {
    return undefined;
  }
  if (frame.type !== "req" || manner === "is silent") return undefined;
  const { id, method } = frame;
  if (method !== "connect") return { type: "res", id, ok: true, payload: {} };
  return manner === "welcomes"
    ? { type: "res", id, ok: true, payload: HELLO }
    : { type: "res", id, ok: false, error: REFUSALS[manner] };
}

const HELLO = {
  type: "hello-ok",
  protocol: 4,
  server: { version: "9.9.9", connId: "of-somebody-else" },
  features: { methods: ["health", "status", "config.get", "node.list"], events: [] },
  snapshot: {
    presence: [],
    health: {},
    stateVersion: { presence: 0, health: 0 },
    uptimeMs: 1,
  },
  auth: { deviceToken: "a-token-of-the-hostile-listener", role: "operator", scopes: [] },
  policy: { maxPayload: 1_000_000, maxBufferedBytes: 1_000_000, tickIntervalMs: 30_000 },
};

function refusal(message: string, code: string, more: object = {}): object {
  return { code: "INVALID_REQUEST", message, details: { code, ...more } };
}

const RETRY = { canRetryWithDeviceToken: true, recommendedNextStep: "retry_with_device_token" };

const REFUSALS: Readonly<Partial<Record<HostileManner, object>>> = {
  "asks for the device token": refusal(
    "unauthorized: gateway token mismatch",
    "AUTH_TOKEN_MISMATCH",
    RETRY,
  ),
  "asks for the password": refusal(
    "unauthorized: gateway password missing",
    "AUTH_PASSWORD_MISSING",
    RETRY,
  ),
  "asks for the token": refusal("unauthorized: gateway token missing", "AUTH_TOKEN_MISSING", RETRY),
  "asks for another device token": refusal(
    "unauthorized: device token mismatch",
    "AUTH_DEVICE_TOKEN_MISMATCH",
    RETRY,
  ),
  "asks for an older protocol": refusal("protocol mismatch", "PROTOCOL_MISMATCH", {
    expectedProtocol: 3,
  }),
};
