import { createServer as createHttpsServer } from "node:https";
import { createServer as createTlsServer } from "node:tls";
import { loadGatewayCertificate, type GatewayCertificate } from "@openclaw/exposure";
import { createGateway } from "@openclaw/gateway-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type CliFixture, createCli, startGateway, TOKEN } from "./cli-fixture.ts";
import { diagnose, expectBroken, expectConnected, listening } from "./doctor-connect-fixture.ts";
import { expiredCertificate } from "./expired-certificate.ts";

const OTHER_PIN = "AB:".repeat(31) + "AB";
const YEAR_MS = 365 * 86_400_000;

let cli: CliFixture;
let certificate: GatewayCertificate;

beforeEach(async () => {
  cli = await createCli();
  const directory = cli.home.file("elsewhere");
  certificate = await loadGatewayCertificate({ directory, autoGenerate: true, names: [] });
});
afterEach(() => cli[Symbol.asyncDispose]());

/** A real Gateway that serves TLS with a certificate. */
async function startTls({ cert, key }: { cert: string; key: string } = certificate) {
  const gateway = createGateway({ auth: { mode: "token", token: TOKEN } });
  const { url, port } = await gateway.listen({ port: 0, tls: { cert, key } });
  return { url, port, [Symbol.asyncDispose]: () => gateway.close() };
}

const withToken = (url: string, ...more: string[]): string[] => [url, "--token", TOKEN, ...more];

describe("TLS", () => {
  test("a pinned Gateway is walked to the end", async () => {
    await using gateway = await startTls();
    const args = withToken(gateway.url, "--tls-fingerprint", certificate.publicKeyPin);
    const found = await diagnose(cli, args);
    expectConnected(found);
    expect(found.steps.find(({ name }) => name === "tls")?.detail).toContain(
      certificate.fingerprint,
    );
  });

  test("fault 15: wss:// to a port that speaks plain HTTP", async () => {
    await using gateway = await startGateway();
    const found = await diagnose(cli, withToken(`wss://127.0.0.1:${gateway.port}`));
    const broken = expectBroken(found, "tls", "TLS_TO_PLAIN_PORT");
    expect(broken.evidence).toMatchObject({ plain: "HTTP 101" });
    expect(broken.fix).toContain(`ws://127.0.0.1:${gateway.port}`);
  });

  test.each([
    ["a Gateway, which says so", startTls],
    [
      "another TLS server, which does not",
      () => listening(createTlsServer({ cert: certificate.cert, key: certificate.key })),
    ],
    [
      "a web server",
      () =>
        listening(
          createHttpsServer({ cert: certificate.cert, key: certificate.key }, (_, response) =>
            response.end(),
          ),
        ),
    ],
  ])("fault 16: ws:// to a port that speaks TLS: %s", async (_, start) => {
    await using server = await start();
    const found = await diagnose(cli, withToken(`ws://127.0.0.1:${server.port}`));
    const broken = expectBroken(found, "upgrade", "PLAIN_TO_TLS_PORT");
    expect(broken.fix).toContain(`wss://127.0.0.1:${server.port}`);
  });

  test("fault 17: a certificate that nobody vouches for and nobody has pinned", async () => {
    await using gateway = await startTls();
    const found = await diagnose(cli, withToken(gateway.url));
    const broken = expectBroken(found, "tls", "CERTIFICATE_UNTRUSTED");
    expect(broken.fix).toContain("--tls-fingerprint <pin>");
    // Whoever sits in between would have sent it.
    expect(found.text).not.toContain(certificate.fingerprint);
    expect(found.text).not.toContain(certificate.publicKeyPin);
  });

  test("fault 18: another certificate than the pinned one, with both", async () => {
    await using gateway = await startTls();
    const found = await diagnose(cli, withToken(gateway.url, "--tls-fingerprint", OTHER_PIN));
    const broken = expectBroken(found, "tls", "TLS_PIN_MISMATCH");
    expect(broken.evidence).toEqual({
      expected: [OTHER_PIN],
      found: { fingerprint: certificate.fingerprint, publicKey: certificate.publicKeyPin },
    });
    expect(broken.fix).toContain(certificate.publicKeyPin);
  });

  test("fault 19: a certificate that has expired, while the clocks agree", async () => {
    await using gateway = await startTls(expiredCertificate);
    const found = await diagnose(cli, withToken(gateway.url));
    const broken = expectBroken(found, "tls", "CERTIFICATE_EXPIRED");
    expect(broken.evidence).toMatchObject({ notAfter: "2025-01-01T00:00:00.000Z" });
    expect(broken.fix).toBe("openclaw gateway certificate --renew");
  });

  test("fault 19: a certificate that holds by the server's clock, which is more than a year away", async () => {
    await using server = await listening(
      createHttpsServer(expiredCertificate, (_request, response) => {
        response.sendDate = false;
        response.setHeader("Date", new Date("2024-06-01T00:00:00Z").toUTCString());
        response.end("{}");
      }),
    );
    const found = await diagnose(cli, withToken(`wss://127.0.0.1:${server.port}`));
    const broken = expectBroken(found, "tls", "CLOCK_WRONG");
    expect(broken.evidence).toMatchObject({ clockThere: "2024-06-01T00:00:00.000Z" });
    expect(broken.message).toContain("days ahead of it");
  });

  test("fault 19: a clock that is off by a year is noted where nothing is broken by it", async () => {
    await using gateway = await startGateway({ now: () => Date.now() + YEAR_MS });
    const found = await diagnose(cli, gateway.flags);
    expectConnected(found);
    expect(found.notes).toMatchObject([{ code: "CLOCK_SKEW" }]);
    expect(found.notes[0]?.message).toContain("365 days behind it");
  });

  test("the Gateway of this machine is known by its own certificate, and by no other", async () => {
    await using gateway = await startTls();
    const own = cli.home.file(".openclaw", "gateway", "tls");
    await loadGatewayCertificate({ directory: own, autoGenerate: true, names: [] });
    const { writeFile } = await import("node:fs/promises");
    const config = { gateway: { port: gateway.port, tls: { enabled: true } } };
    await writeFile(cli.home.file(".openclaw", "openclaw.json"), JSON.stringify(config));
    const env = { OPENCLAW_GATEWAY_TOKEN: TOKEN };
    const broken = expectBroken(await diagnose(cli, [], { env }), "tls", "TLS_PIN_MISMATCH");
    expect(broken.fix).toBe("openclaw gateway restart");
  });
});
