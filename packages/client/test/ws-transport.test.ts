import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { connectGateway, createGatewayClient } from "../src/index.ts";
import { TEST_CERTIFICATE } from "./support/test-certificate.ts";
import { startWsGateway } from "./support/ws-gateway.ts";
import type { RequestListener } from "node:http";
import type { AddressInfo, Server, Socket } from "node:net";

async function listen(server: Server): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const httpServer = (answer: RequestListener): Promise<string> => listen(createHttpServer(answer));

test("the upgrade carries neither Origin nor extensions", async () => {
  await using gateway = await startWsGateway();
  await using client = await connectGateway({ url: gateway.url });
  expect(client.state.kind).toBe("open");
  expect(gateway.upgrades[0]?.headers).not.toHaveProperty("origin");
  expect(gateway.upgrades[0]?.headers).not.toHaveProperty("sec-websocket-extensions");
});

test("frames of one turn leave in one write", async () => {
  await using gateway = await startWsGateway({
    onRequest: ({ id }, socket) =>
      socket.send(JSON.stringify({ type: "res", id, ok: true, payload: id })),
  });
  await using client = await connectGateway({ url: gateway.url });
  gateway.chunks.length = 0;
  const answers = await Promise.all(Array.from({ length: 64 }, () => client.request("x.y", {})));
  expect(new Set(answers).size).toBe(64);
  expect(gateway.chunks).toHaveLength(1);
});

test("frames that arrive as binary messages are frames", async () => {
  await using gateway = await startWsGateway({
    binary: true,
    onRequest: ({ id }, socket) =>
      socket.send(Buffer.from(JSON.stringify({ type: "res", id, ok: true, payload: "ü" }))),
  });
  await using client = await connectGateway({ url: gateway.url });
  expect(await client.request("x.y", {})).toBe("ü");
});

test("a message above 25 MiB ends the connection", async () => {
  await using gateway = await startWsGateway({
    onRequest: (_, socket) => socket.send("x".repeat(26_214_401)),
  });
  await using client = await connectGateway({ url: gateway.url });
  await expect(client.request("x.y", {})).rejects.toMatchObject({ code: "CONNECTION_LOST" });
});

test("nobody listening is CONNECT_REFUSED with the errno and what to do", async () => {
  const server = createTcpServer();
  const url = await listen(server);
  server.close();
  await expect(connectGateway({ url })).rejects.toMatchObject({
    code: "CONNECT_REFUSED",
    message: expect.stringContaining("ECONNREFUSED"),
    hint: expect.stringContaining("openclaw gateway run"),
  });
});

test.each([200, 302, 404, 426])(
  "HTTP %i instead of an upgrade is NOT_A_GATEWAY",
  async (status) => {
    const url = await httpServer((_, response) => {
      response.writeHead(status, { location: "http://127.0.0.1:1/" }).end("<html>");
    });
    await expect(connectGateway({ url })).rejects.toMatchObject({
      code: "NOT_A_GATEWAY",
      message: expect.stringContaining(`HTTP ${status}`),
      hint: expect.stringContaining("Another program"),
    });
  },
);

test.each([502, 504])("HTTP %i of a proxy says that no Gateway is behind it", async (status) => {
  const url = await httpServer((_, response) => response.writeHead(status).end());
  await expect(connectGateway({ url })).rejects.toMatchObject({
    code: "NOT_A_GATEWAY",
    message: expect.stringContaining(`HTTP ${status}`),
    hint: expect.stringContaining("finds no Gateway behind it"),
  });
});

test.each([429, 503])("HTTP %i means busy, and its Retry-After is honoured", async (status) => {
  const url = await httpServer((_, response) => {
    response.writeHead(status, { "retry-after": "7" }).end();
  });
  await expect(connectGateway({ url })).rejects.toMatchObject({
    code: "CONNECT_REFUSED",
    final: false,
    retryAfterMs: 7_000,
  });
});

test("a server of another protocol is NOT_A_GATEWAY", async () => {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.write("SSH-2.0-OpenSSH_9.9\r\n");
  });
  const url = await listen(server);
  await expect(connectGateway({ url })).rejects.toMatchObject({ code: "NOT_A_GATEWAY" });
  for (const socket of sockets) socket.destroy();
});

test("a server that accepts and says nothing is CONNECT_TIMEOUT", async () => {
  const sockets = new Set<Socket>();
  const url = await listen(createTcpServer((socket) => void sockets.add(socket)));
  await expect(connectGateway({ url, connectTimeoutMs: 100 })).rejects.toMatchObject({
    code: "CONNECT_TIMEOUT",
  });
  for (const socket of sockets) socket.destroy();
});

test("a client finds a gateway that comes back on the same port", async () => {
  const first = await startWsGateway();
  const port = Number(new URL(first.url).port);
  await using client = createGatewayClient({ url: first.url, backoff: { baseMs: 10, maxMs: 20 } });
  await client.connect();
  const lost = new Promise<void>((resolve) => {
    client.on("state", (state) => state.kind === "waiting" && resolve());
  });
  await first[Symbol.asyncDispose]();
  await lost;
  const open = new Promise<void>((resolve) => {
    client.on("state", (state) => state.kind === "open" && resolve());
  });
  await using second = await startWsGateway({ port });
  await open;
  expect(second.upgrades).toHaveLength(1);
});

test("a close frame that the peer never answers does not hold up close()", async () => {
  await using gateway = await startWsGateway();
  const client = await connectGateway({ url: gateway.url });
  gateway.sockets[0]?.pause();
  const begun = performance.now();
  await client.close();
  expect(performance.now() - begun).toBeLessThan(5_000);
});

test("a pinned certificate needs no authority, and another one is refused before a byte is sent", async () => {
  await using gateway = await startWsGateway({ tls: true });
  const pin = new X509Certificate(TEST_CERTIFICATE).fingerprint256;
  await using client = await connectGateway({
    url: gateway.url,
    tlsFingerprint: pin.toLowerCase(),
  });
  expect(client.state.kind).toBe("open");

  await expect(
    connectGateway({ url: gateway.url, token: "secret", tlsFingerprint: "ab".repeat(32) }),
  ).rejects.toMatchObject({ code: "TLS_PIN_MISMATCH", final: true });
  await expect(connectGateway({ url: gateway.url })).rejects.toMatchObject({ code: "TLS_FAILED" });
  expect(gateway.upgrades).toHaveLength(1);
});

test("TLS towards a plaintext port is NOT_A_GATEWAY", async () => {
  const url = await httpServer((_, response) => response.end());
  await expect(connectGateway({ url: url.replace("ws:", "wss:") })).rejects.toMatchObject({
    code: "NOT_A_GATEWAY",
  });
});
