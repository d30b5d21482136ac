/**
 * The baseline: a WebSocket server that parses a request and answers it, and does nothing else.
 */
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";

const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
server.on("connection", (socket) => {
  socket.on("message", (data: Buffer) => {
    const { id, params } = JSON.parse(data.toString("utf8")) as { id: string; params: unknown };
    socket.send(JSON.stringify({ type: "res", id, ok: true, payload: params }));
  });
});
server.on("listening", () => {
  console.log(`listening on ws://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});
process.once("SIGTERM", () => process.exit(0));
