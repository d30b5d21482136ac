import { once } from "node:events";
import { type Socket, connect } from "node:net";
import { Duplex } from "node:stream";
import { connect as tlsConnect } from "node:tls";
import { createRawPeer, proxyCertificate } from "@openclaw/testkit";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type Gateway, createGateway } from "../src/index.ts";
import { TOKEN, startTestGateway } from "./fixture.ts";
import { httpGet } from "./http-get.ts";

const { cert, key } = proxyCertificate;
const tls = { cert, key };

function tlsGateway(): Gateway {
  const gateway = createGateway({
    auth: { mode: "token", token: TOKEN },
    strictTransportSecurity: "max-age=31536000",
  });
  onTestFinished(() => gateway.close());
  return gateway;
}

/** All that comes until the end, which may be a reset. */
function everything(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    socket.setEncoding("latin1");
    socket.on("data", (part: string) => (text += part));
    socket.on("error", () => {});
    socket.on("close", () => resolve(text));
  });
}

describe("with a certificate", () => {
  test("it serves wss:// and https:// on the one port, and says so", async () => {
    const { url, port } = await tlsGateway().listen({ port: 0, tls });
    expect(url).toBe(`wss://127.0.0.1:${port}`);
    await using peer = await createRawPeer(url, { ca: cert });
    await peer.handshake({ token: TOKEN });
    expect((await peer.request("health")).ok).toBe(true);
    const probe = await httpGet(`https://127.0.0.1:${port}/healthz`, { ca: cert });
    expect(probe).toMatchObject({ status: 200, body: '{"ok":true,"status":"live"}' });
    expect(probe.headers).toMatchObject({ "strict-transport-security": "max-age=31536000" });
  });

  test("a peer of this machine is as local as without", async () => {
    const gateway = tlsGateway();
    const { url } = await gateway.listen({ port: 0, tls });
    await using peer = await createRawPeer(url, { ca: cert });
    const hello = await peer.handshake({ token: TOKEN });
    expect(hello["auth"]).toMatchObject({ deviceToken: expect.any(String) });
  });

  test("it speaks TLS 1.2 and newer, and nothing older", async () => {
    const { port } = await tlsGateway().listen({ port: 0, tls });
    const dial = async (version: "TLSv1.1" | "TLSv1.2" | "TLSv1.3"): Promise<string> => {
      const socket = tlsConnect({
        port,
        host: "127.0.0.1",
        ca: cert,
        minVersion: version,
        maxVersion: version,
        // OpenSSL itself would not even offer the old ones.
        ciphers: "DEFAULT@SECLEVEL=0",
        ALPNProtocols: ["http/1.1"],
      });
      try {
        await once(socket, "secureConnect");
        return `${socket.getProtocol()} ${String(socket.alpnProtocol)}`;
      } catch (error) {
        return (error as NodeJS.ErrnoException).code ?? "failed";
      } finally {
        socket.destroy();
      }
    };
    expect(await dial("TLSv1.3")).toBe("TLSv1.3 http/1.1");
    expect(await dial("TLSv1.2")).toBe("TLSv1.2 http/1.1");
    expect(await dial("TLSv1.1")).toMatch(/ALERT|PROTOCOL_VERSION|ERR_SSL/);
  });

  test.each(["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "x", "\u0000\u0000"])(
    "plain bytes (%j) are answered with a sentence, and closed",
    async (bytes) => {
      const { port } = await tlsGateway().listen({ port: 0, tls });
      const socket = connect(port, "127.0.0.1");
      socket.write(bytes);
      const answer = await everything(socket);
      expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect(answer).toContain("This port speaks TLS: use https:// or wss://");
    },
  );

  test("a TLS handshake that comes a byte at a time is a TLS handshake", async () => {
    const { port } = await tlsGateway().listen({ port: 0, tls });
    const raw = connect(port, "127.0.0.1").setNoDelay(true);
    const bytewise = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        for (const byte of chunk) raw.write(Buffer.of(byte));
        done();
      },
    });
    raw.on("data", (data) => bytewise.push(data));
    const secure = tlsConnect({ socket: bytewise, ca: cert, servername: "claw.example" });
    await once(secure, "secureConnect");
    expect(secure.getProtocol()).toBe("TLSv1.3");
    secure.destroy();
    raw.destroy();
  });

  test("connections that say nothing do not keep it from closing", async () => {
    const gateway = tlsGateway();
    const { port } = await gateway.listen({ port: 0, tls });
    const socket = connect(port, "127.0.0.1");
    const ended = everything(socket);
    await once(socket, "connect");
    // Answered after the silent one has been taken.
    await httpGet(`https://127.0.0.1:${port}/healthz`, { ca: cert });
    await gateway.close();
    expect(await ended).toBe("");
  });

  test("a peer that stops in the middle of its TLS handshake does not hold up a close", async () => {
    const gateway = createGateway({ auth: { mode: "token", token: TOKEN }, drainTimeoutMs: 10 });
    const { port } = await gateway.listen({ port: 0, tls });
    const socket = connect(port, "127.0.0.1");
    const ended = everything(socket);
    await once(socket, "connect");
    // The head of a hello of 512 bytes that never come.
    socket.write(Buffer.from([0x16, 3, 1, 2, 0, 1]));
    await vi.waitFor(() => expect(socket.bytesWritten).toBe(6));
    // One round trip more, so that the bytes have been looked at.
    await httpGet(`https://127.0.0.1:${port}/healthz`, { ca: cert });
    await gateway.close();
    expect(await ended).toBe("");
  });

  test("a key that does not belong to it is refused, without a word of the key", async () => {
    const other = key.replace(/\n.{20}/, "\nAAAAAAAAAAAAAAAAAAAA");
    const refused = await tlsGateway()
      .listen({ port: 0, tls: { cert, key: other } })
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "OPTIONS_INVALID" });
    expect(String(refused)).not.toContain("AAAA");
  });
});

test("without one, a TLS client is turned away at once", async () => {
  await using t = await startTestGateway();
  const socket = tlsConnect({ port: t.address.port, host: "127.0.0.1", rejectUnauthorized: false });
  const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
  expect(error.message).toMatch(/wrong version number|packet length|disconnected|hang up|reset/i);
});

describe("several addresses", () => {
  test("each is listened on by a call of its own, with or without TLS", async () => {
    const gateway = tlsGateway();
    const first = await gateway.listen({ port: 0 });
    const second = await gateway.listen({ port: first.port, host: "127.0.0.2", tls });
    expect(gateway.address).toEqual(first);
    expect(gateway.addresses).toEqual([first, second]);
    expect(second.url).toBe(`wss://127.0.0.2:${first.port}`);
    for (const url of [first.url, second.url]) {
      await using peer = await createRawPeer(url, { ca: cert });
      await peer.handshake({ token: TOKEN });
    }
  });

  test("one that comes while the Gateway closes is not listened on", async () => {
    const gateway = tlsGateway();
    const listening = gateway.listen({ port: 0 }).catch((error: unknown) => error);
    await gateway.close();
    expect(await listening).toMatchObject({ code: "CLOSED" });
    expect(gateway.addresses).toEqual([]);
  });

  test("one that fails leaves the others", async () => {
    const gateway = tlsGateway();
    const { port, url } = await gateway.listen({ port: 0 });
    await expect(gateway.listen({ port })).rejects.toMatchObject({ code: "PORT_IN_USE" });
    await expect(gateway.listen({ port, host: "192.0.2.1" })).rejects.toMatchObject({
      code: "BIND_REFUSED",
    });
    await using peer = await createRawPeer(url);
    await peer.handshake({ token: TOKEN });
    await gateway.close();
    await expect(createRawPeer(url)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});
