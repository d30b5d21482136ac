import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { duplexPair } from "node:stream";
import { expect, onTestFinished, test, vi } from "vitest";
import { connectGateway, createGatewayClient } from "../src/index.ts";
import { rejection } from "./support/rejection.ts";
import { carrierInto, coalescingPair } from "./support/stream-carrier.ts";
import { TEST_CERTIFICATE } from "./support/test-certificate.ts";
import { startWsGateway } from "./support/ws-gateway.ts";

const URL = "ws://far.example:18790/base";
const MIB = 1024 * 1024;

test.each([
  ["chunks as they were written", duplexPair],
  ["the upgrade and the first frame in one chunk", coalescingPair],
])("the handshake runs on the stream, and on nothing else: %s", async (_, pair) => {
  await using gateway = await startWsGateway({
    onRequest: ({ id }, socket) =>
      socket.send(JSON.stringify({ type: "res", id, ok: true, payload: "x".repeat(MIB) })),
  });
  const carrier = carrierInto(gateway.server, pair);
  await using client = await connectGateway({ url: URL, dial: carrier.dial });
  expect(carrier.dialled).toEqual([{ host: "far.example", port: 18_790 }]);
  expect(gateway.upgrades[0]).toMatchObject({
    url: "/base",
    headers: { host: "far.example:18790" },
  });
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => client.request<string>("x.y", { text: "y".repeat(MIB) })),
  );
  expect(answers.map((text) => text.length)).toEqual([MIB, MIB, MIB, MIB]);
  expect(gateway.texts.map((text) => text.length).filter((length) => length > MIB)).toHaveLength(4);
});

test("an IPv6 address is dialled without brackets", async () => {
  await using gateway = await startWsGateway();
  const carrier = carrierInto(gateway.server);
  await using client = await connectGateway({ url: "ws://[2001:db8::1]", dial: carrier.dial });
  expect(client.state.kind).toBe("open");
  expect(carrier.dialled).toEqual([{ host: "2001:db8::1", port: 18_789 }]);
});

test("closing shakes hands, and destroys the stream", async () => {
  await using gateway = await startWsGateway();
  const carrier = carrierInto(gateway.server);
  const client = await connectGateway({ url: URL, dial: carrier.dial });
  const closed = once(gateway.sockets[0]!, "close");
  await client.close();
  expect((await closed)[0]).toBe(1000);
  expect(carrier.near[0]?.destroyed).toBe(true);
});

test("a stream that breaks loses the connection with what the carrier said", async () => {
  await using gateway = await startWsGateway();
  const carrier = carrierInto(gateway.server);
  const client = await connectGateway({ url: URL, dial: carrier.dial });
  const lost = rejection(client.request("x.y", {}));
  carrier.near[0]?.destroy(new Error("the channel is gone"));
  expect(await lost).toMatchObject({
    code: "CONNECTION_LOST",
    closeCode: 1006,
    message: expect.stringContaining("the channel is gone"),
  });
  await client.closed;
});

test("a stream that ends without a close frame loses the connection", async () => {
  await using gateway = await startWsGateway();
  const carrier = carrierInto(gateway.server);
  const client = await connectGateway({ url: URL, dial: carrier.dial });
  carrier.far[0]?.destroy();
  await expect(client.closed).resolves.toMatchObject({ code: 1006 });
});

test("a carrier that stalls is noticed by its silence", async () => {
  await using gateway = await startWsGateway();
  const carrier = carrierInto(gateway.server);
  const client = await connectGateway({
    url: URL,
    dial: carrier.dial,
    keepalive: { intervalMs: 40 },
  });
  // Read by nobody any more, so nothing is answered either.
  gateway.sockets[0]?.pause();
  await expect(client.closed).resolves.toMatchObject({
    error: { code: "CONNECTION_LOST", message: expect.stringContaining("silent") },
  });
  expect(carrier.near[0]?.destroyed).toBe(true);
});

test("bytes of an unfinished frame are life", async () => {
  await using gateway = await startWsGateway();
  const carrier = carrierInto(gateway.server);
  const client = await connectGateway({
    url: URL,
    dial: carrier.dial,
    keepalive: { intervalMs: 100 },
  });
  onTestFinished(() => client.close());
  gateway.sockets[0]?.pause();
  const far = carrier.far[0]!;
  const pings = vi.spyOn(carrier.near[0]!, "write");
  // A frame of a megabyte, of which a little comes at a time; no ping is answered.
  far.write(Buffer.from([0x81, 127, 0, 0, 0, 0, 0, 0x10, 0, 0]));
  const trickle = setInterval(() => far.write(Buffer.alloc(200, "x")), 10);
  onTestFinished(() => clearInterval(trickle));
  await vi.waitFor(() => expect(pings.mock.calls.length).toBeGreaterThan(5));
  expect(client.state.kind).toBe("open");
  clearInterval(trickle);
  await expect(client.closed).resolves.toMatchObject({ error: { code: "CONNECTION_LOST" } });
});

test("a stream that is gone before the handshake refuses the connection", async () => {
  const [near] = duplexPair();
  near.destroy();
  await expect(
    connectGateway({ url: URL, dial: () => Promise.resolve(near) }),
  ).rejects.toMatchObject({ code: "CONNECT_REFUSED", final: false });
});

test("a stream that breaks before anybody listens to it harms nothing", async () => {
  const dial = () => {
    const [near] = duplexPair();
    queueMicrotask(() => near.destroy(new Error("broke at once")));
    return Promise.resolve(near);
  };
  await expect(connectGateway({ url: URL, dial })).rejects.toMatchObject({
    code: "CONNECT_REFUSED",
    message: expect.stringContaining("broke at once"),
  });
});

test("a stream that never says that it is closed holds up no close()", async () => {
  await using gateway = await startWsGateway();
  const carrier = carrierInto(gateway.server);
  const stuck = await connectGateway({
    url: URL,
    dial: async (...args) => {
      const stream = await carrier.dial(...args);
      stream._destroy = () => {};
      return stream;
    },
  });
  gateway.sockets.at(-1)?.pause();
  const begun = performance.now();
  await stuck.close();
  expect(performance.now() - begun).toBeLessThan(8_000);
});

test("an answer that is no upgrade is NOT_A_GATEWAY", async () => {
  const server = createServer((_, response) => void response.writeHead(404).end("<html>"));
  const carrier = carrierInto(server);
  await expect(connectGateway({ url: URL, dial: carrier.dial })).rejects.toMatchObject({
    code: "NOT_A_GATEWAY",
  });
  expect(carrier.near[0]?.destroyed).toBe(true);
});

test("an upgrade that nobody answers is CONNECT_TIMEOUT, and the stream goes with it", async () => {
  const [near] = duplexPair();
  await expect(
    connectGateway({ url: URL, dial: () => Promise.resolve(near), connectTimeoutMs: 60 }),
  ).rejects.toMatchObject({ code: "CONNECT_TIMEOUT" });
  expect(near.destroyed).toBe(true);
});

test("TLS runs on the stream, with the pin checked before a byte is sent", async () => {
  await using gateway = await startWsGateway({ tls: true });
  const carrier = carrierInto(gateway.server);
  const pin = new X509Certificate(TEST_CERTIFICATE).fingerprint256;
  const options = { url: "wss://gateway.example", dial: carrier.dial };
  await using client = await connectGateway({ ...options, tlsFingerprint: pin });
  expect(client.state.kind).toBe("open");
  expect(carrier.dialled[0]).toEqual({ host: "gateway.example", port: 443 });

  await expect(
    connectGateway({ ...options, token: "secret", tlsFingerprint: "ab".repeat(32) }),
  ).rejects.toMatchObject({ code: "TLS_PIN_MISMATCH", final: true });
  await expect(connectGateway(options)).rejects.toMatchObject({ code: "TLS_FAILED" });
  expect(gateway.upgrades).toHaveLength(1);
  await vi.waitFor(() => expect(carrier.near.slice(1).every((one) => one.destroyed)).toBe(true));
});

test("a connection over TLS over a stream is watched and closed like any other", async () => {
  await using gateway = await startWsGateway({ tls: true });
  const carrier = carrierInto(gateway.server);
  const tlsFingerprint = new X509Certificate(TEST_CERTIFICATE).fingerprint256;
  const client = createGatewayClient({
    url: "wss://gateway.example",
    dial: carrier.dial,
    tlsFingerprint,
    reconnect: false,
    keepalive: { intervalMs: 40 },
  });
  await client.connect();
  // Pongs alone keep it open.
  let pings = 0;
  gateway.sockets[0]?.on("ping", () => (pings += 1));
  await vi.waitFor(() => expect(pings).toBeGreaterThan(3));
  expect(client.state.kind).toBe("open");
  gateway.sockets[0]?.pause();
  await expect(client.closed).resolves.toMatchObject({ error: { code: "CONNECTION_LOST" } });
  expect(carrier.near[0]?.destroyed).toBe(true);
});
