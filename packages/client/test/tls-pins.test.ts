import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect as connectTcp, createServer as createTcpServer } from "node:net";
import * as tls from "node:tls";
import { duplexPair } from "node:stream";
import { describe, expect, onTestFinished, test } from "vitest";
import { connectGateway, createGatewayClient } from "../src/index.ts";
import {
  EXPIRED_CERTIFICATE,
  RSA_CERTIFICATE,
  RSA_KEY,
  TEST_CERTIFICATE,
  TEST_KEY,
} from "./support/test-certificate.ts";
import { startWsGateway } from "./support/ws-gateway.ts";
import type { AddressInfo, Server, Socket } from "node:net";
import type { SecureVersion } from "node:tls";
import type { AttemptFailure, GatewayError } from "../src/index.ts";

const OTHER_PIN = "ab".repeat(32);

function pinsOf(pem: string): { fingerprint: string; publicKey: string } {
  const { fingerprint256, publicKey } = new X509Certificate(pem);
  const der = publicKey.export({ type: "spki", format: "der" });
  const digest = createHash("sha256").update(der).digest("base64");
  return { fingerprint: fingerprint256, publicKey: `sha256//${digest}` };
}

const own = pinsOf(TEST_CERTIFICATE);
const ec = { cert: TEST_CERTIFICATE, key: TEST_KEY };
const rsa = { cert: RSA_CERTIFICATE, key: RSA_KEY };
const expired = { cert: EXPIRED_CERTIFICATE, key: TEST_KEY };

/** A TLS server that counts what it is told after the handshake. */
async function startCounter(options: object = ec) {
  let bytes = 0;
  let handshakes = 0;
  const sockets = new Set<Socket>();
  const gone: Promise<unknown>[] = [];
  const server = tls.createServer(options, (socket) => {
    handshakes += 1;
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => (bytes += chunk.length));
  });
  server.on("tlsClientError", () => {});
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    gone.push(once(socket, "close").catch(() => {}));
  });
  return {
    url: await listen(server, "wss"),
    /** Waits until every connection is over, so that nothing is still on its way. */
    async heard(): Promise<{ bytes: number; handshakes: number }> {
      await Promise.all(gone);
      return { bytes, handshakes };
    },
  };
}

async function listen(server: Server, scheme = "ws"): Promise<string> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("the right pin", () => {
  test.each([
    ["of the certificate, with colons", ec, own.fingerprint],
    ["of the certificate, bare and in small letters", ec, bare(own.fingerprint).toLowerCase()],
    ["of the certificate, as openssl prints it", ec, `sha256 Fingerprint=${own.fingerprint}`],
    ["of the public key", ec, own.publicKey],
    ["of an RSA certificate", rsa, pinsOf(RSA_CERTIFICATE).fingerprint],
    ["of an RSA key", rsa, pinsOf(RSA_CERTIFICATE).publicKey],
    ["of a certificate that has expired", expired, pinsOf(EXPIRED_CERTIFICATE).fingerprint],
    ["of the key, on a certificate that was renewed", expired, own.publicKey],
    ["beside that of another key", ec, [`sha256//${"A".repeat(43)}=`, own.publicKey]],
    ["before that of another certificate", ec, [own.fingerprint, OTHER_PIN]],
  ])("%s is enough", async (_, served, tlsFingerprint) => {
    await using gateway = await startWsGateway({ tls: served });
    await using client = await connectGateway({ url: gateway.url, tlsFingerprint });
    expect(client.state.kind).toBe("open");
  });

  test.each<SecureVersion>(["TLSv1.2", "TLSv1.3"])("is enough over %s", async (version) => {
    await using gateway = await startWsGateway({
      tls: { ...ec, minVersion: version, maxVersion: version },
    });
    await using client = await connectGateway({ url: gateway.url, tlsFingerprint: own.publicKey });
    expect(client.state.kind).toBe("open");
  });

  test("holds for a name that the certificate does not have", async () => {
    await using gateway = await startWsGateway({ tls: ec });
    const url = gateway.url.replace("127.0.0.1", "localhost");
    expect(new X509Certificate(TEST_CERTIFICATE).checkHost("localhost")).toBeUndefined();
    await using client = await connectGateway({ url, tlsFingerprint: own.fingerprint });
    expect(client.state.kind).toBe("open");
  });
});

describe("another certificate", () => {
  test.each<[string, object, string | string[]]>([
    ["by its fingerprint, over TLS 1.3", { ...ec, minVersion: "TLSv1.3" }, OTHER_PIN],
    ["by its fingerprint, over TLS 1.2", { ...ec, maxVersion: "TLSv1.2" }, OTHER_PIN],
    ["in RSA", rsa, own.fingerprint],
    ["by its key", ec, pinsOf(RSA_CERTIFICATE).publicKey],
    ["with neither of two pins", ec, [OTHER_PIN, pinsOf(RSA_CERTIFICATE).publicKey]],
    ["renewed, where the certificate was pinned", expired, own.fingerprint],
    [
      "whose fingerprint was pinned as a key",
      ec,
      `sha256//${Buffer.from(bare(own.fingerprint), "hex").toString("base64")}`,
    ],
  ])("is refused %s, and hears not one byte", async (_, served, tlsFingerprint) => {
    const server = await startCounter(served);
    await expect(
      connectGateway({ url: server.url, token: "secret", tlsFingerprint }),
    ).rejects.toMatchObject({ code: "TLS_PIN_MISMATCH", final: true });
    expect(await server.heard()).toMatchObject({ bytes: 0 });
  });

  test("is not asked twice, and both sides of the mismatch are told", async () => {
    const server = await startCounter();
    const attempts: AttemptFailure[] = [];
    await using client = createGatewayClient({
      url: server.url,
      tlsFingerprint: [OTHER_PIN, pinsOf(RSA_CERTIFICATE).publicKey],
      backoff: { baseMs: 1, maxMs: 2 },
      onAttempt: (failure) => attempts.push(failure),
    });
    const error = (await client.connect().catch((cause: unknown) => cause)) as GatewayError;
    const info = await client.closed;
    expect(info.error).toBe(error);
    expect(attempts).toMatchObject([{ retryInMs: undefined }]);
    const expected = ["AB:".repeat(31) + "AB", pinsOf(RSA_CERTIFICATE).publicKey];
    expect(error.details).toEqual({ code: "ERR_TLS_PIN_MISMATCH", expected, found: own });
    for (const pin of [...expected, own.fingerprint, own.publicKey]) {
      expect(error.message).toContain(pin);
    }
    expect(error.hint).toContain("openclaw gateway status");
  });

  test("is refused on the stream of a carrier, too, before it hears anything", async () => {
    const server = await startCounter();
    const inner = new URL(server.url);
    await expect(
      connectGateway({
        url: "wss://gateway.example",
        token: "secret",
        tlsFingerprint: OTHER_PIN,
        dial: () => Promise.resolve(connectTcp(Number(inner.port), inner.hostname)),
      }),
    ).rejects.toMatchObject({ code: "TLS_PIN_MISMATCH" });
    expect(await server.heard()).toMatchObject({ bytes: 0 });
  });
});

describe("without a pin", () => {
  test.each([
    ["self-signed", ec, /nobody but itself vouches.*DEPTH_ZERO_SELF_SIGNED_CERT/],
    ["expired", expired, /TLS with .* failed/],
  ])(
    "a %s certificate is refused, hears nothing, and the way to a pin is told",
    async (_, served, text) => {
      const server = await startCounter(served);
      const error = (await connectGateway({ url: server.url, token: "secret" }).catch(
        (cause: unknown) => cause,
      )) as GatewayError;
      expect(error).toMatchObject({ code: "TLS_FAILED", final: false });
      expect(error.message).toMatch(text);
      expect(error.hint).toMatch(/openclaw gateway status.*--tls-fingerprint/);
      expect(error.details).toMatchObject({ found: pinsOf(served.cert) });
      expect(await server.heard()).toMatchObject({ bytes: 0 });
    },
  );

  // Older releases of Node take further authorities from the environment of the start alone.
  test.skipIf(tls.setDefaultCACertificates === undefined)(
    "a certificate of a trusted authority is enough for its name, and for no other",
    async () => {
      const before = tls.getCACertificates("default");
      onTestFinished(() => tls.setDefaultCACertificates(before));
      tls.setDefaultCACertificates([...before, TEST_CERTIFICATE]);
      await using gateway = await startWsGateway({ tls: ec });
      const { port } = new URL(gateway.url);
      const dial = () => Promise.resolve(connectTcp(Number(port), "127.0.0.1"));
      await using client = await connectGateway({ url: "wss://gateway.test", dial });
      expect(client.state.kind).toBe("open");
      await expect(connectGateway({ url: "wss://other.test", dial })).rejects.toMatchObject({
        code: "TLS_FAILED",
        message: expect.stringContaining("other.test"),
        details: { code: "ERR_TLS_CERT_ALTNAME_INVALID" },
      });
      expect(gateway.upgrades).toHaveLength(1);
    },
  );

  test("the environment cannot switch the check off", async () => {
    const server = await startCounter();
    const before = process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    try {
      await expect(connectGateway({ url: server.url })).rejects.toMatchObject({
        code: "TLS_FAILED",
      });
    } finally {
      if (before === undefined) delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
      else process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = before;
    }
    expect(await server.heard()).toMatchObject({ bytes: 0 });
  });
});

test.each([
  ["wss://127.0.0.1:1", "nonsense", /"nonsense" is no pin/],
  ["wss://127.0.0.1:1", "sha256//AAAA", /is no pin/],
  ["wss://127.0.0.1:1", `sha256//${"A".repeat(42)}B=`, /is no pin/],
  ["wss://127.0.0.1:1", [OTHER_PIN, "ab"], /"ab" is no pin/],
  ["wss://127.0.0.1:1", [OTHER_PIN, OTHER_PIN, OTHER_PIN], /3 pins were given/],
  ["ws://127.0.0.1:1", OTHER_PIN, /ws:\/\/127\.0\.0\.1:1\/ is plaintext/],
])("at %s the pin %j is refused before anything is dialled", async (url, tlsFingerprint, text) => {
  const dial = (): Promise<never> => Promise.reject(new Error("was dialled"));
  await expect(connectGateway({ url, tlsFingerprint, dial })).rejects.toMatchObject({
    code: "TLS_PIN_INVALID",
    final: true,
    message: expect.stringMatching(text),
  });
});

test("a server that never answers the hello is left when the time is over", async () => {
  const met = Promise.withResolvers<Socket>();
  const server = createTcpServer((socket) => {
    socket.on("error", () => {}).resume();
    met.resolve(socket);
  });
  const url = await listen(server, "wss");
  const refusal = connectGateway({ url, tlsFingerprint: OTHER_PIN, connectTimeoutMs: 200 });
  await expect(refusal).rejects.toMatchObject({ code: "CONNECT_TIMEOUT" });
  const socket = await met.promise;
  if (!socket.closed) await once(socket, "close");
  expect(socket.destroyed).toBe(true);
});

test("a carrier's stream on which TLS never answers is given back when the time is over", async () => {
  const [near, far] = duplexPair();
  far.resume();
  await expect(
    connectGateway({
      url: "wss://gateway.example",
      dial: () => Promise.resolve(near),
      tlsFingerprint: OTHER_PIN,
      connectTimeoutMs: 100,
    }),
  ).rejects.toMatchObject({ code: "CONNECT_TIMEOUT" });
  if (!near.closed) await once(near, "close");
  expect(near.destroyed).toBe(true);
});

function bare(fingerprint: string): string {
  return fingerprint.replaceAll(":", "");
}
