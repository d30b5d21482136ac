import type { EventListener, GatewayClientState } from "@openclaw/client";
import type { HelloOk, RawJson } from "@openclaw/protocol";
import { vi } from "vitest";
import type { NodePeer } from "../src/invocation/node-peer.ts";

export interface SentResult {
  id: string;
  nodeId: string;
  ok: boolean;
  payloadJSON?: string;
  error?: { code: string; message: string };
}

/** The Gateway's side of a node's client, in memory. */
export interface FakePeer extends NodePeer {
  /** Results, in the order of their sending, whether taken or not. */
  readonly results: SentResult[];
  readonly progress: { invokeId: string; seq: number; chunk: string }[];
  readonly events: { event: string; payload: unknown }[];
  /** What `node.invoke.sync` answers. */
  unresolved: { id: string; idempotencyKey: string }[];
  /** Answers requests; throwing fails them. @default takes everything */
  respond: (method: string, params: unknown) => unknown;
  emit(event: string, payload: unknown): void;
  invoke(request: Partial<InvokeEvent> & { command: string }): InvokeEvent;
  result(id: string): Promise<SentResult>;
  disconnect(): void;
  connect(): void;
}

export interface InvokeEvent {
  id: string;
  nodeId: string;
  command: string;
  paramsJSON?: string | null;
  timeoutMs?: number;
  idempotencyKey?: string;
}

export const NODE_ID = "4c1f".repeat(16);

const METHODS = ["node.invoke.sync", "node.invoke.progress", "node.invoke.result", "node.event"];

export function createFakePeer(
  options: { methods?: string[]; maxPayload?: number; connected?: boolean } = {},
): FakePeer {
  const { methods = METHODS, maxPayload = 26_214_400, connected = true } = options;
  const listeners = new Map<string, Set<EventListener>>();
  const open: GatewayClientState = { kind: "open", openedAtMs: 0, protocol: 4 };
  let state: GatewayClientState = connected ? open : { kind: "idle" };
  let nextId = 0;

  const tell = (event: string, value: unknown): void => {
    for (const listener of listeners.get(event) ?? []) listener(value, frame);
  };

  const request = async (method: string, params: unknown): Promise<unknown> => {
    if (state.kind !== "open") throw connectionLost();
    const seen = params as Record<string, unknown>;
    if (method === "node.invoke.result") peer.results.push(seen as never);
    if (method === "node.invoke.progress") peer.progress.push(seen as never);
    if (method === "node.event") {
      const { event, payloadJSON } = seen as { event: string; payloadJSON: string };
      peer.events.push({ event, payload: JSON.parse(payloadJSON) });
    }
    const sentOn = state;
    const reply = await peer.respond(method, params);
    if (state !== sentOn) throw connectionLost();
    return reply;
  };

  const peer: FakePeer = {
    results: [],
    progress: [],
    events: [],
    unresolved: [],
    respond: (method) => (method === "node.invoke.sync" ? { open: peer.unresolved } : { ok: true }),
    get state() {
      return state;
    },
    hello: { features: { methods, events: [] }, policy: { maxPayload } } as unknown as HelloOk,
    // One list for all names: each listener is told what belongs to its name.
    on: ((event: string, listener: EventListener) => {
      const set = listeners.get(event) ?? new Set<EventListener>();
      listeners.set(event, set.add(listener));
      return () => set.delete(listener);
    }) as unknown as NodePeer["on"],
    request,
    requestRaw: ((method: string, params: RawJson) =>
      request(method, JSON.parse(params.text))) as NodePeer["requestRaw"],
    emit: tell,
    invoke(event) {
      nextId += 1;
      const whole = { id: `i-${nextId}`, nodeId: NODE_ID, idempotencyKey: `k-${nextId}`, ...event };
      tell("node.invoke.request", whole);
      return whole;
    },
    async result(id) {
      return vi.waitFor(() => {
        const found = peer.results.find((result) => result.id === id);
        if (found === undefined) throw new Error(`no result for ${id}`);
        return found;
      });
    },
    disconnect() {
      state = { kind: "idle" };
      tell("state", state);
    },
    connect() {
      state = { ...open };
      tell("state", state);
    },
  };
  return peer;
}

const frame = { type: "event", event: "" } as const;

function connectionLost(): Error {
  return Object.assign(new Error("the connection was lost"), { code: "CONNECTION_LOST" });
}
