import type { Transport, TransportFactory, TransportListener } from "@openclaw/client";

export interface FakeRequest {
  method: string;
  params: Record<string, unknown>;
}

/** A Gateway in memory: takes the handshake, notes requests, sends events. */
export interface FakeGateway {
  readonly transport: TransportFactory;
  /** The params of each `connect`. */
  readonly connects: Record<string, unknown>[];
  /** Requests after the handshake. */
  readonly requests: FakeRequest[];
  send(event: string, payload: unknown): void;
  /** Cuts the connection, as a restart does. */
  cut(): void;
}

/** @param hello what stands in the hello instead of what every Gateway says */
export function createFakeGateway(methods: readonly string[], hello: object = {}): FakeGateway {
  let listener: TransportListener | undefined;

  const tell = (frame: unknown): void => {
    const to = listener;
    queueMicrotask(() => to?.frame(JSON.stringify(frame)));
  };

  const answer = (text: string): void => {
    const { id, method, params } = JSON.parse(text) as FakeRequest & { id: string };
    if (method !== "connect") {
      gateway.requests.push({ method, params });
      const payload = method === "node.invoke.sync" ? { open: [] } : { ok: true };
      tell({ type: "res", id, ok: true, payload });
      return;
    }
    gateway.connects.push(params);
    tell({
      type: "res",
      id,
      ok: true,
      payload: {
        type: "hello-ok",
        protocol: 4,
        server: { version: "test", connId: "c" },
        features: { methods, events: [] },
        snapshot: {
          presence: [],
          health: {},
          stateVersion: { presence: 0, health: 0 },
          uptimeMs: 1,
        },
        auth: { role: "node", scopes: [] },
        policy: { maxPayload: 26_214_400, maxBufferedBytes: 52_428_800, tickIntervalMs: 30_000 },
        ...hello,
      },
    });
  };

  const end = (code: number, reason: string): void => {
    const ended = listener;
    listener = undefined;
    queueMicrotask(() => ended?.closed({ code, reason, error: undefined }));
  };

  const gateway: FakeGateway = {
    connects: [],
    requests: [],
    transport(): Transport {
      return {
        listen(given) {
          listener = given;
          queueMicrotask(() => {
            given.opened();
            tell({ type: "event", event: "connect.challenge", payload: { nonce: "n", ts: 1 } });
          });
        },
        send: answer,
        ping: () => {},
        bytesRead: 0,
        bytesWritten: 0,
        bufferedBytes: 0,
        close: end,
        terminate: () => end(1006, ""),
      };
    },
    send: (event, payload) => tell({ type: "event", event, payload }),
    cut: () => end(1006, ""),
  };
  return gateway;
}
