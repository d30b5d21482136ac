import { randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { checkConnect } from "./connect-schema.ts";
import type { Protocol3Connect } from "./connect-schema.ts";
import { deviceFault } from "./device-check.ts";

/** A refusal as the older generation words it. */
interface Fault {
  code: "INVALID_REQUEST" | "NOT_PAIRED" | "UNAVAILABLE";
  message: string;
  details?: Record<string, unknown>;
}

/** Options of {@link startProtocol3Gateway}. */
export interface Protocol3GatewayOptions {
  token: string;
  /** Leaves `auth` out of the hello, as the first releases did. @default false */
  withoutHelloAuth?: boolean;
  /** Devices wait for {@link Protocol3Gateway.approve}. @default false, they are paired silently */
  asksForPairing?: boolean;
}

/** A scripted Gateway that speaks protocol 3 and nothing else. */
export interface Protocol3Gateway extends AsyncDisposable {
  readonly url: string;
  /** The params of each `connect`, as they came. */
  readonly connects: readonly unknown[];
  /** Each request after the handshake. */
  readonly requests: readonly { method: string; params: unknown }[];
  /** Each refusal, by its message. */
  readonly refusals: readonly string[];
  /** Lets every device in that is waiting. */
  approve(): void;
}

interface Peer {
  socket: WebSocket;
  nonce: string;
  params?: Protocol3Connect;
}

interface Request {
  id: string;
  method: string;
  params?: Record<string, unknown>;
}

const METHODS = ["health", "node.list", "node.invoke", "node.invoke.result", "node.event"];

/** Starts one on a free port of 127.0.0.1. */
export async function startProtocol3Gateway(
  options: Protocol3GatewayOptions,
): Promise<Protocol3Gateway> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await new Promise((resolve) => server.once("listening", resolve));
  const connects: unknown[] = [];
  const requests: { method: string; params: unknown }[] = [];
  const refusals: string[] = [];
  const peers = new Set<Peer>();
  const deviceTokens = new Map<string, string>();
  const waiting = new Map<string, string>();
  const invokes = new Map<string, { operator: Peer; requestId: string; command: string }>();
  // One counter for all: a client that may not see an event sees a gap.
  let seq = 0;

  function send(peer: Peer, frame: object): void {
    peer.socket.send(JSON.stringify(frame));
  }

  function refuse(peer: Peer, id: string, error: Fault, close?: number): void {
    refusals.push(error.message);
    send(peer, { type: "res", id, ok: false, error });
    if (close !== undefined) peer.socket.close(close, error.message);
  }

  function answer(peer: Peer, id: string, payload: unknown): void {
    send(peer, { type: "res", id, ok: true, payload });
  }

  function shakeHands(peer: Peer, { id, method, params }: Request): void {
    const invalid = (message: string, close = 1008): void =>
      refuse(peer, id, { code: "INVALID_REQUEST", message }, close);
    if (method !== "connect") return invalid("invalid handshake: first request must be connect");
    connects.push(params);
    const checked = checkConnect(params);
    if (!checked.ok) return invalid(`invalid connect params: ${checked.detail}`);
    const { minProtocol, maxProtocol, device, auth, role = "operator" } = checked.params;
    if (minProtocol > 3 || maxProtocol < 3) {
      const details = { expectedProtocol: 3 };
      const error: Fault = { code: "INVALID_REQUEST", message: "protocol mismatch", details };
      return refuse(peer, id, error, 1002);
    }
    const fault = deviceFault(checked.params, peer.nonce);
    if (fault) return invalid(fault);
    const known = device && deviceTokens.get(`${device.id} ${role}`);
    if (auth?.token !== options.token && (!known || auth?.token !== known)) {
      return invalid("unauthorized: gateway token mismatch (set gateway.remote.token to match)");
    }
    if (device && !known && options.asksForPairing) {
      const requestId = waiting.get(device.id) ?? randomUUID();
      waiting.set(device.id, requestId);
      const details = { requestId };
      return refuse(peer, id, { code: "NOT_PAIRED", message: "pairing required", details }, 1008);
    }
    if (device && !known) deviceTokens.set(`${device.id} ${role}`, newToken());
    peer.params = checked.params;
    answer(peer, id, hello(checked.params));
    send(peer, { type: "event", event: "presence", payload: { presence: [] }, seq: (seq += 1) });
  }

  function hello({ device, role = "operator", scopes = [] }: Protocol3Connect): object {
    const deviceToken = device && deviceTokens.get(`${device.id} ${role}`);
    return {
      type: "hello-ok",
      protocol: 3,
      server: { version: "2026.1.30", host: "old-gateway", connId: randomUUID() },
      features: { methods: METHODS, events: ["presence", "tick"] },
      snapshot: {
        presence: [],
        health: {},
        stateVersion: { presence: 1, health: 1 },
        uptimeMs: 1_000,
      },
      ...(deviceToken && !options.withoutHelloAuth ? { auth: { deviceToken, role, scopes } } : {}),
      policy: { maxPayload: 524_288, maxBufferedBytes: 1_572_864, tickIntervalMs: 30_000 },
    };
  }

  function serve(peer: Peer, { id, method, params = {} }: Request): void {
    requests.push({ method, params });
    const isNode = peer.params?.role === "node";
    const isForNodes = method === "node.event" || method === "node.invoke.result";
    if (METHODS.includes(method) && method !== "health" && isNode !== isForNodes) {
      const message = `unauthorized role: ${peer.params?.role ?? "operator"}`;
      return refuse(peer, id, { code: "INVALID_REQUEST", message });
    }
    switch (method) {
      case "health":
      case "node.event":
        return answer(peer, id, { ok: true });
      case "node.list":
        return answer(peer, id, { ts: Date.now(), nodes: nodes().map(describe) });
      case "node.invoke":
        return invoke(peer, id, params);
      case "node.invoke.result":
        return settle(peer, id, params);
      default:
        return refuse(peer, id, { code: "INVALID_REQUEST", message: `unknown method: ${method}` });
    }
  }

  function nodes(): Peer[] {
    return [...peers].filter(({ params }) => params?.role === "node");
  }

  function invoke(operator: Peer, requestId: string, params: Record<string, unknown>): void {
    const { nodeId, command, params: input, timeoutMs, idempotencyKey } = params;
    const node = nodes().find((peer) => peer.params?.device?.id === nodeId);
    if (!node) {
      const details = { code: "NOT_CONNECTED" };
      const error: Fault = { code: "UNAVAILABLE", message: "node not connected", details };
      return refuse(operator, requestId, error);
    }
    const id = randomUUID();
    invokes.set(id, { operator, requestId, command: String(command) });
    const paramsJSON = input === undefined ? null : JSON.stringify(input);
    const payload = { id, nodeId, command, paramsJSON, timeoutMs, idempotencyKey };
    send(node, { type: "event", event: "node.invoke.request", payload });
  }

  function settle(node: Peer, requestId: string, result: Record<string, unknown>): void {
    const open = invokes.get(String(result["id"]));
    invokes.delete(String(result["id"]));
    answer(node, requestId, { ok: true, ...(open ? {} : { ignored: true }) });
    if (!open) return;
    if (result["ok"] !== true) {
      const nodeError = result["error"] as { message?: string } | undefined;
      const message = nodeError?.message ?? "node invoke failed";
      const details = { nodeError };
      refuse(open.operator, open.requestId, { code: "UNAVAILABLE", message, details });
      return;
    }
    const { nodeId, payloadJSON = null } = result;
    const payload: unknown =
      typeof payloadJSON === "string" ? JSON.parse(payloadJSON) : result["payload"];
    const { command } = open;
    answer(open.operator, open.requestId, { ok: true, nodeId, command, payload, payloadJSON });
  }

  server.on("connection", (socket) => {
    const peer: Peer = { socket, nonce: randomUUID() };
    peers.add(peer);
    socket.on("close", () => peers.delete(peer));
    // How a socket ended is the other side's matter.
    socket.on("error", () => undefined);
    // With the default binary type every message is one Buffer.
    socket.on("message", (data) => {
      const request = JSON.parse((data as Buffer).toString("utf8")) as Request;
      if (peer.params) serve(peer, request);
      else shakeHands(peer, request);
    });
    const payload = { nonce: peer.nonce, ts: Date.now() };
    send(peer, { type: "event", event: "connect.challenge", payload });
  });

  const { port } = server.address() as AddressInfo;
  return {
    url: `ws://127.0.0.1:${port}`,
    connects,
    requests,
    refusals,
    approve() {
      for (const deviceId of waiting.keys()) {
        for (const role of ["operator", "node"])
          deviceTokens.set(`${deviceId} ${role}`, newToken());
      }
      waiting.clear();
    },
    async [Symbol.asyncDispose]() {
      for (const { socket } of peers) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** 32 hexadecimal characters, as the older generation issues them. */
function newToken(): string {
  return randomUUID().replaceAll("-", "");
}

function describe({ params }: Peer): object {
  return {
    nodeId: params?.device?.id,
    displayName: params?.client.displayName,
    platform: params?.client.platform,
    caps: params?.caps ?? [],
    commands: params?.commands ?? [],
    paired: true,
    connected: true,
  };
}
