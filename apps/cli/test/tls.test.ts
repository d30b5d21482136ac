import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createGateway } from "@openclaw/gateway-core";
import { type GatewayCertificate, loadGatewayCertificate } from "@openclaw/exposure";
import { hasSshd, sshTestRig } from "@openclaw/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type CliFixture, createCli, TOKEN } from "./cli-fixture.ts";

const OTHER_PIN = "AB:".repeat(31) + "AB";
const OTHER_KEY = `sha256//${"A".repeat(43)}=`;

let cli: CliFixture;
let certificate: GatewayCertificate;
/** Where the Gateway of the fixture's machine keeps its certificate. */
let directory: string;

beforeEach(async () => {
  cli = await createCli();
  directory = cli.home.file(".openclaw", "gateway", "tls");
  certificate = await loadGatewayCertificate({ directory, autoGenerate: true, names: [] });
});
afterEach(() => cli[Symbol.asyncDispose]());

/** A real Gateway that serves TLS with a certificate. */
async function startTls({ cert, key }: Pick<GatewayCertificate, "cert" | "key"> = certificate) {
  const gateway = createGateway({ auth: { mode: "token", token: TOKEN } });
  const { url, port } = await gateway.listen({ port: 0, tls: { cert, key } });
  return { url, port, [Symbol.asyncDispose]: () => gateway.close() };
}

/** A certificate as another machine would have it. */
function another(): Promise<GatewayCertificate> {
  return loadGatewayCertificate({
    directory: cli.home.file("elsewhere"),
    autoGenerate: true,
    names: [],
  });
}

async function writeConfig(gateway: object): Promise<void> {
  await mkdir(cli.home.file(".openclaw"), { recursive: true });
  await writeFile(cli.home.file(".openclaw", "openclaw.json"), JSON.stringify({ gateway }));
}

const env = { OPENCLAW_GATEWAY_TOKEN: TOKEN };
const flags = (url: string): string[] => ["--url", url, "--token", TOKEN, "--json"];

describe("the Gateway of this machine", () => {
  test("is known by its own certificate: nothing has to be pinned where it was made", async () => {
    await using gateway = await startTls();
    await writeConfig({ port: gateway.port, tls: { enabled: true } });
    const health = await cli.run(["health", "--json"], { env });
    expect(health.json()).toMatchObject({ ok: true });
    await writeConfig({ tls: { enabled: true } });
    const port = ["--port", String(gateway.port)];
    const called = await cli.run(["gateway", "health", ...port, "--json"], { env });
    expect(called.code).toBe(0);
  });

  test("that shows another certificate is not spoken to, and both are told", async () => {
    const other = await another();
    await using gateway = await startTls(other);
    await writeConfig({ port: gateway.port, tls: { enabled: true } });
    const health = await cli.run(["health", "--json"], { env });
    expect(health.code).toBe(1);
    expect(health.json()).toMatchObject({
      error: {
        type: "gateway_transport_error",
        kind: "tls_pin",
        expected: [certificate.publicKeyPin],
        found: { fingerprint: other.fingerprint, publicKey: other.publicKeyPin },
      },
    });
    const human = await cli.run(["health"], { env });
    expect(human.stderr).toContain("openclaw gateway restart");
  });

  test("gateway status shows what clients are to pin", async () => {
    await writeConfig({ port: 1, tls: { enabled: true } });
    const { fingerprint, publicKeyPin, certPath, notAfterMs } = certificate;
    const status = await cli.run(["gateway", "status", "--no-probe", "--json"]);
    expect(status.json()).toMatchObject({
      gateway: { tls: { fingerprint, publicKey: publicKeyPin, certPath, notAfterMs, error: null } },
    });
    const human = await cli.run(["gateway", "status", "--no-probe"]);
    expect(human.stdout).toContain(fingerprint);
    expect(human.stdout).toContain(publicKeyPin);
    await writeConfig({ port: 1 });
    const off = await cli.run(["gateway", "status", "--no-probe", "--json"]);
    expect(off.json()).toMatchObject({ gateway: { tls: null } });
  });

  test("gateway status says why there is nothing to pin", async () => {
    await writeConfig({ port: 1, tls: { enabled: true, certPath: "a.pem", keyPath: "b.pem" } });
    const none = await cli.run(["gateway", "status", "--no-probe"]);
    expect(none.code).toBe(0);
    expect(none.stdout).toContain("no certificate yet");
    await writeFile(join(directory, "gateway-cert.pem"), "broken");
    await writeConfig({ port: 1, tls: { enabled: true } });
    const broken = await cli.run(["gateway", "status", "--no-probe"]);
    expect(broken.stdout).toContain("holds no PEM text");
  });
});

describe("a Gateway elsewhere", () => {
  test.each([
    ["the certificate", () => [certificate.fingerprint.toLowerCase()]],
    ["the key", () => [certificate.publicKeyPin]],
    ["the next key beside another", () => [OTHER_KEY, certificate.publicKeyPin]],
  ])("is let through by the pin of %s", async (_, pins) => {
    await using gateway = await startTls();
    const given = pins().flatMap((pin) => ["--tls-fingerprint", pin]);
    const health = await cli.run(["gateway", "health", ...flags(gateway.url), ...given]);
    expect(health.json()).toMatchObject({ ok: true });
  });

  test("with another certificate than the pinned one is refused with both, and with what to type", async () => {
    await using gateway = await startTls();
    const args = ["gateway", "health", "--url", gateway.url, "--token", TOKEN];
    const { code, stderr } = await cli.run([...args, "--tls-fingerprint", OTHER_PIN]);
    expect(code).toBe(1);
    for (const text of [OTHER_PIN, certificate.fingerprint, certificate.publicKeyPin]) {
      expect(stderr).toContain(text);
    }
    expect(stderr).toContain(`--url ${gateway.url} --tls-fingerprint ${certificate.publicKeyPin}`);
    expect(stderr).not.toContain(TOKEN);
  });

  test("that nobody vouches for is refused, and no fingerprint from the line is offered", async () => {
    await using gateway = await startTls();
    const args = ["gateway", "health", "--url", gateway.url, "--token", TOKEN];
    const human = await cli.run(args);
    expect(human.code).toBe(1);
    expect(human.stderr).toContain("openclaw gateway status");
    expect(human.stderr).toContain("--tls-fingerprint <pin>");
    const script = await cli.run([...args, "--json"]);
    expect(script.json()).toMatchObject({ error: { kind: "tls" } });
    for (const text of [human.stderr, script.stdout, script.stderr]) {
      expect(text).not.toContain(certificate.fingerprint);
      expect(text).not.toContain(certificate.publicKeyPin);
    }
  });

  test.each([
    [["--url", "ws://127.0.0.1:1", "--tls-fingerprint", OTHER_PIN], "is plaintext"],
    [["--url", "wss://127.0.0.1:1", "--tls-fingerprint", "ab"], "64 hex digits"],
    [
      [
        "--url",
        "wss://127.0.0.1:1",
        ...Array.from({ length: 3 }, () => ["--tls-fingerprint", OTHER_PIN]).flat(),
      ],
      "3 pins",
    ],
  ])("%j is refused before anything is sent", async (args, text) => {
    const { code, stderr } = await cli.run(["gateway", "health", ...args, "--token", TOKEN]);
    expect(code).not.toBe(0);
    expect(stderr).toContain(text);
  });
});

describe("remote.tlsFingerprint pins the certificate for wss://: the remote Gateway", () => {
  const set = (...args: string[]) => cli.run(["remote", "set", ...args, "--json"]);

  test("is pinned with its URL, and its pin is gone with it", async () => {
    await using gateway = await startTls();
    const pinned = await set(gateway.url, "--tls-fingerprint", certificate.publicKeyPin);
    expect(pinned.json()).toMatchObject({ remote: { tlsFingerprint: certificate.publicKeyPin } });
    const health = await cli.run(["health", "--json"], { env });
    expect(health.json()).toMatchObject({ ok: true });
    const shown = await cli.run(["remote", "show", "--json"], { env });
    expect(shown.json()).toMatchObject({ remote: { tlsFingerprint: certificate.publicKeyPin } });
    const tested = await cli.run(["remote", "test", "--json"], { env });
    expect(tested.json()).toMatchObject({ ok: true });

    const again = await set(gateway.url);
    expect(again.json()).toMatchObject({ dropped: [] });
    const moved = await set("wss://other.example");
    expect(moved.json()).toMatchObject({ dropped: ["tlsFingerprint"] });
    expect(moved.stdout).not.toContain(certificate.publicKeyPin);
  });

  test("may have the present and the next key", async () => {
    await using gateway = await startTls();
    const pins = [OTHER_KEY, certificate.fingerprint];
    const both = await set(gateway.url, ...pins.flatMap((pin) => ["--tls-fingerprint", pin]));
    expect(both.json()).toMatchObject({ remote: { tlsFingerprint: pins } });
    const health = await cli.run(["health", "--json"], { env });
    expect(health.json()).toMatchObject({ ok: true });
  });

  test("that changes its certificate is refused in every command, with the way to accept it", async () => {
    await using gateway = await startTls();
    await set(gateway.url, "--tls-fingerprint", OTHER_PIN);
    const health = await cli.run(["health"], { env });
    expect(health.code).toBe(1);
    expect(health.stderr).toContain(
      `openclaw config set gateway.remote.tlsFingerprint ${certificate.publicKeyPin}`,
    );
    const tested = await cli.run(["remote", "test", "--json"], { env });
    expect(tested.code).toBe(1);
    expect(tested.stdout).toContain("TLS_PIN_MISMATCH");
    expect(tested.stdout).toContain(certificate.fingerprint);
    const probed = await cli.run(["gateway", "probe", "--json"], { env });
    expect(probed.stdout).toContain("not the pinned one");
  });

  test("is tried by gateway probe and remote test with a pin for once", async () => {
    await using gateway = await startTls();
    await set(gateway.url, "--tls-fingerprint", OTHER_PIN);
    const given = ["--tls-fingerprint", certificate.publicKeyPin];
    const tested = await cli.run(["remote", "test", "--json", ...given], { env });
    expect(tested.json()).toMatchObject({ ok: true });
    const probed = await cli.run(["gateway", "probe", ...flags(gateway.url), ...given], { env });
    const targets = probed.json()["targets"] as { id: string; connect: { ok: boolean } }[];
    const ok = Object.fromEntries(targets.map(({ id, connect }) => [id, connect.ok]));
    // The pin is for the one that was named; the configured one keeps its own.
    expect(ok).toMatchObject({ explicit: true, configRemote: false });
  });

  test("through SSH has no certificate to pin", async () => {
    for (const target of ["me@box", "ws://10.0.0.1"]) {
      const refused = await set(target, "--tls-fingerprint", OTHER_PIN);
      expect(refused.code).toBe(1);
      expect(refused.json()).toMatchObject({ error: { type: "cli_error", kind: "usage" } });
    }
  });
});

describe.runIf(hasSshd)("a Gateway that serves TLS behind SSH", () => {
  test.each([
    ["the pinned key", () => certificate.publicKeyPin, true],
    ["another", () => OTHER_KEY, false],
  ])("with %s is judged through the tunnel, too", async (_, pin, isAccepted) => {
    await using gateway = await startTls();
    await using rig = await sshTestRig();
    await writeConfig({
      mode: "remote",
      remote: {
        transport: "ssh",
        sshTarget: rig.target,
        remotePort: gateway.port,
        url: "wss://127.0.0.1",
        tlsFingerprint: pin(),
        token: TOKEN,
      },
    });
    const files = ["--ssh-identity", rig.identity, "--ssh-known-hosts", rig.knownHosts];
    const health = await cli.run(["health", "--json", ...files]);
    if (isAccepted) expect(health.json()).toMatchObject({ ok: true });
    else expect(health.json()).toMatchObject({ error: { kind: "tls_pin", expected: [OTHER_KEY] } });
  });
});

describe("gateway certificate", () => {
  test("shows the pins, and renews with the same key, so that pins of the key hold on", async () => {
    const shown = await cli.run(["gateway", "certificate", "--json"]);
    expect(shown.json()).toMatchObject({
      renewed: false,
      fingerprint: certificate.fingerprint,
      publicKey: certificate.publicKeyPin,
    });
    const renewed = await cli.run(["gateway", "certificate", "--renew", "--json"]);
    expect(renewed.json()).toMatchObject({ renewed: true, publicKey: certificate.publicKeyPin });
    const now = await loadGatewayCertificate({ directory, autoGenerate: false, names: [] });
    expect(renewed.json()["fingerprint"]).toBe(now.fingerprint);
    expect(now.fingerprint).not.toBe(certificate.fingerprint);
    expect(renewed.stdout).not.toContain("PRIVATE KEY");

    await using gateway = await startTls(now);
    const base = ["gateway", "health", ...flags(gateway.url), "--tls-fingerprint"];
    const byKey = await cli.run([...base, certificate.publicKeyPin]);
    expect(byKey.code).toBe(0);
    const byCertificate = await cli.run([...base, certificate.fingerprint]);
    expect(byCertificate.json()).toMatchObject({ error: { kind: "tls_pin" } });
  });

  test("that is not there is said to be, with what makes one", async () => {
    await using empty = await createCli();
    const { code, stderr } = await empty.run(["gateway", "certificate"]);
    expect(code).toBe(1);
    expect(stderr).toContain("gateway.tls.enabled");
    const renewal = await empty.run(["gateway", "certificate", "--renew", "--json"]);
    expect(renewal.json()).toMatchObject({ error: { code: "CERT_MISSING" } });
  });
});
