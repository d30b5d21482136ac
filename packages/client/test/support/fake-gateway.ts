import { createLinkedTransports } from "./linked-transports.ts";
import type { LinkedTransport } from "./linked-transports.ts";
import type { RemoteErrorShape } from "../../src/errors.ts";
import type { TransportClose, TransportFactory } from "../../src/transport/transport.ts";

/** What a client said of itself, as far as tests look at it. */
export interface SeenConnect extends Record<string, unknown> {
  maxProtocol: number;
  auth?: { token?: string; password?: string; deviceToken?: string; bootstrapToken?: string };
}

export interface FakeRequest {
  id: string;
  method: string;
  params: Record<string, unknown>;
}

/** The Gateway's end of one link. */
export interface FakeLink {
  readonly url: string;
  readonly transport: LinkedTransport;
  /** The client's own end, for faults on its side. */
  readonly clientSide: LinkedTransport;
  /** Every request but `connect`, in order. */
  readonly requests: FakeRequest[];
  readonly connectParams: SeenConnect | undefined;
  /** The `connect` request, for an answer that comes later. */
  connect: FakeRequest | undefined;
  readonly closed: Promise<TransportClose>;
  send(frame: object | string): void;
  answer(request: FakeRequest, payload: unknown): void;
  refuse(request: FakeRequest, error: RemoteErrorShape): void;
  event(event: string, payload?: unknown, seq?: number): void;
}

export interface FakeGatewayOptions {
  /** @default `{ nonce: "nonce-1", ts: 1_700_000_000_000 }` */
  challenge?: object | false;
  /** Answers `connect`: an object becomes part of the hello, an error refuses, `hold` says nothing. */
  onConnect?: (
    params: SeenConnect,
    link: FakeLink,
    attempt: number,
  ) => object | { error: RemoteErrorShape } | "hold";
  onRequest?: (request: FakeRequest, link: FakeLink) => void;
  /** Ends the dial with this instead of opening. */
  refuseDial?: (attempt: number) => Error | undefined;
}

export interface FakeGateway {
  readonly dial: TransportFactory;
  readonly links: FakeLink[];
  readonly dials: number;
  last(): FakeLink;
}

export const REFUSED = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:18789"), {
  code: "ECONNREFUSED",
});

/** Answers handshakes over linked transports. */
export function createFakeGateway(options: FakeGatewayOptions = {}): FakeGateway {
  const links: FakeLink[] = [];
  let dials = 0;
  return {
    links,
    get dials() {
      return dials;
    },
    dial(url, { stream }) {
      dials += 1;
      const refusal = options.refuseDial?.(dials);
      const [near, far] = createLinkedTransports();
      // Frames do not run on it, but it breaks and goes with the link.
      stream?.once("close", () => far.terminate());
      if (refusal) return refusedTransport(near, refusal);
      links.push(createLink(url, near, far, options, dials));
      return near;
    },
    last() {
      const link = links.at(-1);
      if (!link) throw new Error("nobody has dialled");
      return link;
    },
  };
}

export function helloOk(extra: object = {}): object {
  return {
    type: "hello-ok",
    protocol: 4,
    server: { version: "0.0.0", connId: "c-1" },
    features: { methods: ["health"], events: ["tick"] },
    snapshot: { presence: [], health: {}, stateVersion: { presence: 0, health: 0 }, uptimeMs: 1 },
    auth: { role: "operator", scopes: [] },
    policy: { maxPayload: 26_214_400, maxBufferedBytes: 52_428_800, tickIntervalMs: 30_000 },
    ...extra,
  };
}

function createLink(
  url: string,
  near: LinkedTransport,
  far: LinkedTransport,
  options: FakeGatewayOptions,
  attempt: number,
): FakeLink {
  const closed = Promise.withResolvers<TransportClose>();
  const requests: FakeRequest[] = [];
  let connectParams: SeenConnect | undefined;
  const link: FakeLink = {
    url,
    transport: far,
    clientSide: near,
    requests,
    connect: undefined,
    get connectParams() {
      return connectParams;
    },
    closed: closed.promise,
    send: (frame) => far.send(typeof frame === "string" ? frame : JSON.stringify(frame)),
    answer: ({ id }, payload) => link.send({ type: "res", id, ok: true, payload }),
    refuse: ({ id }, error) => link.send({ type: "res", id, ok: false, error }),
    event: (event, payload, seq) =>
      link.send({ type: "event", event, payload, ...(seq === undefined ? {} : { seq }) }),
  };
  far.listen({
    opened() {
      if (options.challenge === false) return;
      link.event(
        "connect.challenge",
        options.challenge ?? { nonce: "nonce-1", ts: 1_700_000_000_000 },
      );
    },
    frame(text) {
      const request = JSON.parse(text) as FakeRequest;
      if (request.method !== "connect") {
        requests.push(request);
        options.onRequest?.(request, link);
        return;
      }
      // A test that fakes a Gateway may trust its own client.
      const params = request.params as SeenConnect;
      connectParams = params;
      link.connect = request;
      const answer = options.onConnect?.(params, link, attempt) ?? {};
      if (answer === "hold") return;
      if ("error" in answer) {
        link.refuse(request, answer.error as RemoteErrorShape);
        far.close(1008, (answer.error as RemoteErrorShape).message);
      } else link.answer(request, helloOk(answer));
    },
    closed: (close) => closed.resolve(close),
  });
  return link;
}

function refusedTransport(near: LinkedTransport, error: Error): LinkedTransport {
  return {
    ...near,
    listen: (listener) =>
      void Promise.resolve().then(() => listener.closed({ code: 1006, reason: "", error })),
  };
}
