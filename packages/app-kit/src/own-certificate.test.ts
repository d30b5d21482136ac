import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { temporaryDirectory } from "@openclaw/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CertificatePlace, certificatePlace, withOwnPin } from "./own-certificate.ts";

const run = promisify(execFile);
const directory = await temporaryDirectory();
const certPath = directory.file("state", "gateway", "tls", "gateway-cert.pem");
let place: CertificatePlace;
let pin: string;

beforeAll(async () => {
  await mkdir(dirname(certPath), { recursive: true });
  const keyPath = directory.file("key.pem");
  await run("openssl", [
    ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
    ...["-subj", "/CN=openclaw-gateway", "-keyout", keyPath, "-out", certPath],
  ]);
  const der = directory.file("public.der");
  await run("openssl", ["pkey", "-in", keyPath, "-pubout", "-outform", "der", "-out", der]);
  const { stdout } = await run("openssl", ["dgst", "-sha256", "-r", der]);
  pin = `sha256//${Buffer.from(stdout.slice(0, 64), "hex").toString("base64")}`;
  place = certificatePlace(paths(), {});
});
afterAll(() => directory[Symbol.asyncDispose]());

function paths() {
  return {
    stateDir: directory.file("state"),
    configPath: directory.file("etc", "openclaw.json"),
    home: directory.path,
  };
}

test.each(["local", "port-flag"] as const)(
  "a %s target over TLS is pinned to the own key",
  async (kind) => {
    const target = { url: "wss://127.0.0.1:18789", kind };
    expect(await withOwnPin(target, place)).toEqual({ ...target, tlsFingerprint: [pin] });
  },
);

test.each([
  { url: "ws://127.0.0.1:18789", kind: "local" as const },
  { url: "wss://127.0.0.1:18789", kind: "remote" as const },
  { url: "wss://127.0.0.1:18789", kind: "url-flag" as const },
  { url: "wss://127.0.0.1:18789", kind: "local" as const, via: { kind: "ssh" } },
  { url: "wss://127.0.0.1:18789", kind: "local" as const, tlsFingerprint: ["of the flag"] },
])("%j stays as it is", async (target) => {
  expect(await withOwnPin(target, place)).toBe(target);
});

test("a file that is missing or is no certificate pins nothing", async () => {
  const target = { url: "wss://127.0.0.1:18789", kind: "local" as const };
  const none = { ...place, certPath: directory.file("none.pem") };
  expect(await withOwnPin(target, none)).toBe(target);
  await writeFile(directory.file("text.pem"), "no certificate");
  const text = { ...place, certPath: directory.file("text.pem") };
  expect(await withOwnPin(target, text)).toBe(target);
});

test("the paths of the config begin at its file, or at the home directory", () => {
  const config = { gateway: { tls: { certPath: "tls/a.pem", keyPath: "~/b.pem" } } };
  expect(certificatePlace(paths(), config)).toEqual({
    directory: directory.file("state", "gateway", "tls"),
    certPath: directory.file("etc", "tls", "a.pem"),
    keyPath: directory.file("b.pem"),
  });
});
