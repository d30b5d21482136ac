import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";

/** A door in front of a Gateway through which only protocol 3 gets in. */
export interface Protocol3Door extends AsyncDisposable {
  readonly port: number;
  /** The `connect` params that were refused. */
  readonly refused: readonly Offer[];
  /** The `connect` params that were passed on, unchanged. */
  readonly passed: readonly Offer[];
}

/** What matters here of `connect`. */
export interface Offer {
  minProtocol: number;
  maxProtocol: number;
}

interface Request {
  id: string;
  method?: string;
  params?: Offer;
}

/**
 * Answers an offer of more than protocol 3 as a Gateway of the older generation does, and passes
 * everything else on. So a peer that falls back shows what it sends then, to a Gateway that would
 * have taken its first offer.
 */
export async function openProtocol3Door(targetPort: number): Promise<Protocol3Door> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await new Promise((resolve) => server.once("listening", resolve));
  const refused: Offer[] = [];
  const passed: Offer[] = [];
  const sockets = new Set<WebSocket>();

  server.on("connection", (near) => {
    const far = new WebSocket(`ws://127.0.0.1:${targetPort}`, { perMessageDeflate: false });
    const held: string[] = [];
    let isPassing = false;
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      // Its close follows, and that is passed on.
      socket.on("error", () => undefined);
    }
    near.on("close", () => far.terminate());
    far.on("close", (code, reason) => near.close(...sayable(code, reason)));
    far.on("open", () => {
      for (const text of held.splice(0)) far.send(text);
    });
    far.on("message", (data) => near.send(textOf(data)));
    near.on("message", (data) => {
      const text = textOf(data);
      if (!isPassing) {
        const request = JSON.parse(text) as Request;
        if (request.method === "connect" && request.params) {
          if (request.params.minProtocol > 3) {
            refused.push(request.params);
            near.send(JSON.stringify(mismatch(request.id)));
            near.close(1002, "protocol mismatch");
            return;
          }
          passed.push(request.params);
        }
        isPassing = true;
      }
      if (far.readyState === WebSocket.OPEN) far.send(text);
      else held.push(text);
    });
  });

  const { port } = server.address() as AddressInfo;
  return {
    port,
    refused,
    passed,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function mismatch(id: string): object {
  const details = { code: "PROTOCOL_MISMATCH", expectedProtocol: 3 };
  const error = { code: "INVALID_REQUEST", message: "protocol mismatch", details };
  return { type: "res", id, ok: false, error };
}

function textOf(data: unknown): string {
  // With the default binary type every message is one Buffer.
  return (data as Buffer).toString("utf8");
}

/** 1005 and 1006 stand for "no code was sent" and may not be sent. */
function sayable(code: number, reason: Buffer): [number?, string?] {
  return code === 1005 || code === 1006 ? [] : [code, reason.toString("utf8")];
}
