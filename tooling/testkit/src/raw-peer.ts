import type { Duplex } from "node:stream";
import { WebSocket } from "ws";
import type { RawData } from "ws";
import { buildConnectParams } from "./connect-params.ts";
import type { Challenge, ConnectOptions } from "./connect-params.ts";
import { DEFAULT_DEADLINE_MS, withDeadline } from "./deadline.ts";
import { createInbox } from "./inbox.ts";
import type { NextOptions } from "./inbox.ts";

/** A frame as it came, with whatever members it has. */
export interface PeerFrame {
  type?: string;
  id?: string;
  ok?: boolean;
  // Payloads are what a test looks into; their shape is the matter of the assertion.
  payload?: Record<string, unknown>;
  error?: PeerError;
  event?: string;
  method?: string;
  params?: Record<string, unknown>;
  seq?: number;
  [member: string]: unknown;
}

/** The error of a response. */
export interface PeerError {
  code: string;
  message: string;
  details?: Record<string, unknown>;
  retryable?: boolean;
  retryAfterMs?: number;
}

/** How a socket ended. 1006 means that no close frame was seen. */
export interface PeerClose {
  code: number;
  reason: string;
}

/** The far side answered with `ok: false`. */
export class PeerResponseError extends Error {
  override readonly name: string = "PeerResponseError";
  readonly error: PeerError;

  constructor(method: string, error: PeerError) {
    super(`${method} was refused: ${error.code} ${error.message}`);
    this.error = error;
  }
}

/** The HTTP server did not upgrade. */
export class UpgradeRefusedError extends Error {
  override readonly name: string = "UpgradeRefusedError";
  readonly statusCode: number;

  constructor(statusCode: number) {
    super(`the upgrade was refused with status ${statusCode}`);
    this.statusCode = statusCode;
  }
}

/** Options of {@link createRawPeer}. */
export interface RawPeerOptions {
  headers?: Record<string, string>;
  /** The address to connect from; Linux lets a program have any of 127.0.0.0/8. */
  localAddress?: string;
  /** The certificate to trust, in PEM, and no other. */
  ca?: string;
  /** `false` leaves pings unanswered, as a frozen process would. @default true */
  autoPong?: boolean;
  /** Time for the upgrade. @default 5_000 */
  deadlineMs?: number;
}

/** A WebSocket peer that does nothing by itself. */
export interface RawPeer extends AsyncDisposable {
  readonly url: string;
  /** Every frame that arrived, in order. */
  readonly received: readonly PeerFrame[];
  /** Every text that arrived, in order, as it was on the wire. */
  readonly receivedTexts: readonly string[];
  /** Frames that arrived and were not taken. */
  readonly pending: readonly PeerFrame[];
  /** Pings that arrived so far. */
  readonly pings: number;
  /** The stream below the WebSocket, for bytes that are no WebSocket frames at all. */
  readonly stream: Duplex;
  /** Settles when the socket has ended, and never rejects. */
  readonly closed: Promise<PeerClose>;

  /** Sends text as it is; an object is printed as JSON first. */
  send(frame: string | Readonly<Record<string, unknown>>): void;
  /** Sends a binary message. */
  sendBinary(data: string | Uint8Array): void;
  /** Sends a WebSocket ping. */
  ping(): void;
  /** Stops reading from the socket, so that the far side's buffers fill. */
  pause(): void;
  resume(): void;

  /** Takes the first frame that fits, now or when it arrives. */
  next(match?: (frame: PeerFrame) => boolean, options?: NextOptions): Promise<PeerFrame>;
  /** Takes the next event of that name. */
  nextEvent(event: string, options?: NextOptions): Promise<PeerFrame>;
  /** Takes the next response with that id. */
  nextResponse(id: string, options?: NextOptions): Promise<PeerFrame>;
  /** Sends a request and takes its response, whatever it says. */
  request(method: string, params?: unknown, options?: RequestOptions): Promise<PeerFrame>;
  /**
   * Sends a request and returns the payload.
   * @throws {PeerResponseError} for `ok: false`.
   */
  call(
    method: string,
    params?: unknown,
    options?: RequestOptions,
  ): Promise<Record<string, unknown>>;

  /** Takes the challenge, the first time from the wire. */
  challenge(): Promise<Challenge>;
  /** Waits for the challenge, sends `connect`, takes the response, whatever it says. */
  connect(options?: ConnectOptions): Promise<PeerFrame>;
  /**
   * Like {@link RawPeer.connect}, and returns the hello payload.
   * @throws {PeerResponseError} when the Gateway refuses.
   */
  handshake(options?: ConnectOptions): Promise<Record<string, unknown>>;

  /** Sends a close frame and waits for the end. */
  close(code?: number, reason?: string): Promise<PeerClose>;
  /** Drops the socket without a closing handshake. */
  terminate(): void;
}

/** Options of {@link RawPeer.request}. */
export interface RequestOptions {
  /** @default a counter */
  id?: string;
  /** @default 5_000 */
  deadlineMs?: number;
}

/**
 * Opens a WebSocket to `url` and hands it over to the test. Resolves when it is open.
 *
 * @throws {UpgradeRefusedError} when the server answers with something other than 101.
 */
export async function createRawPeer(url: string, options: RawPeerOptions = {}): Promise<RawPeer> {
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    maxPayload: 0,
    autoPong: options.autoPong ?? true,
    headers: options.headers ?? {},
    ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  });
  const inbox = createInbox<PeerFrame>((frame) => JSON.stringify(frame).slice(0, 300));
  const texts: string[] = [];
  const { promise: closed, resolve: settleClosed } = Promise.withResolvers<PeerClose>();
  let pings = 0;
  let requests = 0;
  let stream: Duplex | undefined;
  let challengeFrame: Promise<Challenge> | undefined;

  // Attached before the socket can open: the challenge may share a packet with the upgrade.
  socket.on("message", (data) => {
    const text = toText(data);
    texts.push(text);
    inbox.push(parseLoosely(text));
  });
  socket.on("ping", () => (pings += 1));
  socket.on("upgrade", (response) => (stream = response.socket));
  socket.on("close", (code, reason) => {
    settleClosed({ code, reason: reason.toString("utf8") });
    inbox.end(new Error(`the socket was closed with ${code} ${JSON.stringify(String(reason))}`));
  });
  const opened = new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("unexpected-response", (request, response) => {
      request.destroy();
      reject(new UpgradeRefusedError(response.statusCode ?? 0));
    });
    // Stays attached: errors after the upgrade end in "close", which tells all a test needs.
    socket.on("error", reject);
  });
  try {
    const deadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS;
    await withDeadline(opened, deadlineMs, () => `waiting for the upgrade of ${url}`);
  } catch (error) {
    socket.terminate();
    throw error;
  }

  const peer: RawPeer = {
    url,
    received: inbox.received,
    receivedTexts: texts,
    pending: inbox.pending,
    get pings() {
      return pings;
    },
    get stream() {
      if (!stream) throw new Error("the socket was never upgraded");
      return stream;
    },
    closed,
    send: (frame) => socket.send(typeof frame === "string" ? frame : JSON.stringify(frame)),
    sendBinary: (data) => socket.send(Buffer.from(data as string), { binary: true }),
    ping: () => socket.ping(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    next: (match, next) => inbox.next(match ?? (() => true), { what: "the next frame", ...next }),
    nextEvent: (event, next) =>
      inbox.next((frame) => frame.type === "event" && frame.event === event, {
        what: `the event ${event}`,
        ...next,
      }),
    nextResponse: (id, next) =>
      inbox.next((frame) => frame.type === "res" && frame.id === id, {
        what: `the response ${id}`,
        ...next,
      }),
    async request(method, params, { id = `r${(requests += 1)}`, deadlineMs } = {}) {
      peer.send({ type: "req", id, method, ...(params === undefined ? {} : { params }) });
      return peer.nextResponse(id, {
        what: `the response of ${method}`,
        ...(deadlineMs === undefined ? {} : { deadlineMs }),
      });
    },
    async call(method, params, request) {
      return payloadOf(method, await peer.request(method, params, request));
    },
    challenge() {
      challengeFrame ??= peer
        .nextEvent("connect.challenge")
        // The Gateway's own word for it; a test that doubts it looks at `received`.
        .then((frame) => frame.payload as unknown as Challenge);
      return challengeFrame;
    },
    async connect(connect = {}) {
      return peer.request("connect", buildConnectParams(connect, await peer.challenge()));
    },
    async handshake(connect) {
      return payloadOf("connect", await peer.connect(connect));
    },
    async close(code = 1000, reason = "") {
      socket.close(code, reason);
      return closed;
    },
    terminate: () => socket.terminate(),
    async [Symbol.asyncDispose]() {
      socket.terminate();
      await closed;
    },
  };
  return peer;
}

function payloadOf(method: string, frame: PeerFrame): Record<string, unknown> {
  if (frame.ok === true) return frame.payload ?? {};
  throw new PeerResponseError(method, frame.error ?? { code: "NONE", message: "no error given" });
}

function toText(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString("utf8");
  return Buffer.from(data as ArrayBuffer).toString("utf8");
}

/** What is not a JSON object still shows up in `received`, under a type of its own. */
function parseLoosely(text: string): PeerFrame {
  try {
    const value: unknown = JSON.parse(text);
    // Members of other types than the frame names are the assertion's to find.
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as PeerFrame;
    }
  } catch {
    // Reported as the frame below.
  }
  return { type: "not-an-object", text };
}
