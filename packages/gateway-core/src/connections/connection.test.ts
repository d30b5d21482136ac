import { expect, test } from "vitest";
import { Connection } from "./connection.ts";
import type { PeerSocket } from "./peer-socket.ts";

interface Slow {
  connection: Connection;
  socket: { bufferedBytes: number; paused: number; terminated: number };
}

/** A peer that reads nothing: whatever is sent to it stays. */
function slowPeer(): Slow {
  const socket = {
    bufferedBytes: 0,
    bytesRead: 0,
    bytesWritten: 0,
    paused: 0,
    terminated: 0,
    send: (text: string) => void (socket.bufferedBytes += text.length),
    sendSoon: (text: string) => void (socket.bufferedBytes += text.length),
    ping() {},
    pause: () => void (socket.paused += 1),
    resume() {},
    close() {},
    terminate: () => void (socket.terminated += 1),
  } satisfies PeerSocket & Slow["socket"];
  const connection = new Connection(
    {
      connId: "c",
      epoch: 1,
      protocol: 4,
      role: "node",
      scopes: [],
      caps: new Set(),
      client: { id: "node-host", mode: "node", version: "1", platform: "linux" },
      deviceId: "node-1",
      remoteIp: undefined,
      authMethod: "token",
      connectedAtMs: 0,
    },
    socket,
    { maxBufferedBytes: 10_000, highWaterMarkBytes: 1_000, frameSent: undefined },
  );
  return { connection, socket };
}

test("a peer that sends without reading its acknowledgements is paused, then cut", () => {
  const { connection, socket } = slowPeer();
  for (let id = 0; connection.isOpen && id < 1_000; id += 1)
    connection.respondSoon(String(id), { ok: true });
  expect(socket.paused).toBe(1);
  expect(socket.terminated).toBe(1);
  expect(socket.bufferedBytes).toBeLessThan(10_200);
});
