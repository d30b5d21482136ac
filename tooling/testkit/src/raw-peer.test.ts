import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { createFakeNode } from "./fake-node.ts";
import { createRawPeer, UpgradeRefusedError } from "./raw-peer.ts";

async function startServer(serve: (socket: WebSocket) => void): Promise<string> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  server.on("connection", serve);
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Sends the challenge and answers every request with its own params. */
function serveEcho(socket: WebSocket): void {
  const challenge = { nonce: "n-1", ts: 1_700_000_000_000 };
  socket.send(JSON.stringify({ type: "event", event: "connect.challenge", payload: challenge }));
  socket.on("message", (data: Buffer) => {
    const { id, params } = JSON.parse(data.toString("utf8")) as { id: string; params: unknown };
    socket.send(JSON.stringify({ type: "res", id, ok: true, payload: params }));
  });
}

test("a handshake sends signed connect params for the challenge that arrived", async () => {
  await using peer = await createRawPeer(await startServer(serveEcho));

  const sent = await peer.handshake({ token: "T", displayName: "hand" });

  expect(sent).toMatchObject({
    minProtocol: 4,
    maxProtocol: 4,
    role: "operator",
    auth: { token: "T" },
    client: { id: "cli", mode: "cli", platform: "linux", displayName: "hand" },
    device: { nonce: "n-1", signedAt: 1_700_000_000_000 },
  });
});

test("frames are taken by predicate and the others stay in order", async () => {
  const url = await startServer((socket) => {
    for (const event of ["a", "b", "c"]) socket.send(JSON.stringify({ type: "event", event }));
  });
  await using peer = await createRawPeer(url);

  await peer.nextEvent("b");

  expect(await peer.next()).toMatchObject({ event: "a" });
  expect(await peer.next()).toMatchObject({ event: "c" });
  expect(peer.received).toHaveLength(3);
});

test("a frame that never comes is an error that tells what came", async () => {
  const url = await startServer((socket) => socket.send('{"type":"event","event":"tick"}'));
  await using peer = await createRawPeer(url);

  await expect(peer.nextEvent("hello", { deadlineMs: 30 })).rejects.toThrow(
    /waiting for the event hello; .*(tick|nothing)/,
  );
});

test("who waits for a frame is told at once when the socket is closed", async () => {
  const url = await startServer((socket) => socket.close(1008, "no"));
  await using peer = await createRawPeer(url);

  await expect(peer.next()).rejects.toThrow('closed with 1008 "no"');
  expect(await peer.closed).toEqual({ code: 1008, reason: "no" });
});

test("an upgrade that is refused tells the status", async () => {
  const server = createServer();
  server.on("upgrade", (_request, socket) => socket.end("HTTP/1.1 503 Busy\r\n\r\n"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;

  const opening = createRawPeer(`ws://127.0.0.1:${port}/`);

  await expect(opening).rejects.toThrow(UpgradeRefusedError);
  await expect(opening).rejects.toMatchObject({ statusCode: 503 });
});

test("a fake node answers invokes by its function", async () => {
  const results: unknown[] = [];
  const { promise: answered, resolve } = Promise.withResolvers<void>();
  const url = await startServer((socket) => {
    serveEcho(socket);
    socket.on("message", (data: Buffer) => {
      const frame = JSON.parse(data.toString("utf8")) as {
        method: string;
        params: { nodeId: string };
      };
      if (frame.method === "node.invoke.result") {
        results.push(frame.params);
        resolve();
        return;
      }
      const payload = { id: "i-1", nodeId: "n", command: "test.add", paramsJSON: '{"a":1}' };
      socket.send(JSON.stringify({ type: "event", event: "node.invoke.request", payload }));
    });
  });
  await using node = await createFakeNode(url, {
    commands: ["test.add"],
    answer: ({ params }) => ({ ok: true, payload: params }),
  });

  await answered;

  expect(results).toEqual([{ id: "i-1", nodeId: node.nodeId, ok: true, payload: { a: 1 } }]);
  expect(node.hello).toMatchObject({ role: "node", commands: ["test.add"] });
});
