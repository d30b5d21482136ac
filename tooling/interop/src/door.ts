import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";

/** A door in front of a Gateway: what comes is passed on, both ways. */
export interface Door extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
}

export interface DoorOptions {
  /** Port of the Gateway on this machine. */
  targetPort: number;
  /** Looks at the first message of each peer. @default everybody gets in */
  admit?: (text: string) => Refusal | undefined;
  /** Sent along with each upgrade, as a proxy does. */
  headers?: Readonly<Record<string, string>>;
  /** Told of each message that the Gateway sends. */
  frameSent?: (text: string) => void;
}

/** What a peer hears that does not get in. */
export interface Refusal {
  readonly answer: string;
  readonly code: number;
  readonly reason: string;
}

export async function openDoor({
  targetPort,
  admit,
  headers = {},
  frameSent,
}: DoorOptions): Promise<Door> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await new Promise((resolve) => server.once("listening", resolve));
  const sockets = new Set<WebSocket>();

  server.on("connection", (near) => {
    const far = new WebSocket(`ws://127.0.0.1:${targetPort}`, {
      perMessageDeflate: false,
      headers,
    });
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
    far.on("message", (data) => {
      const text = textOf(data);
      frameSent?.(text);
      near.send(text);
    });
    near.on("message", (data) => {
      const text = textOf(data);
      if (!isPassing) {
        const refusal = admit?.(text);
        if (refusal) {
          near.send(refusal.answer);
          near.close(refusal.code, refusal.reason);
          return;
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
    url: `ws://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function textOf(data: unknown): string {
  // With the default binary type every message is one Buffer.
  return (data as Buffer).toString("utf8");
}

/** 1005 and 1006 stand for "no code was sent" and may not be sent. */
function sayable(code: number, reason: Buffer): [number?, string?] {
  return code === 1005 || code === 1006 ? [] : [code, reason.toString("utf8")];
}
