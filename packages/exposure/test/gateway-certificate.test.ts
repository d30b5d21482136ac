import { type ChildProcess, execFile, fork } from "node:child_process";
import { generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { dirname } from "node:path";
import { connect } from "node:tls";
import { promisify } from "node:util";
import { temporaryDirectory, type TemporaryDirectory } from "@openclaw/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  loadGatewayCertificate,
  ownCertificatePaths,
  readGatewayCertificate,
  renewGatewayCertificate,
} from "../src/index.ts";
import { issueCertificate } from "../src/tls/issue-certificate.ts";
import { signingAlgorithmOf } from "../src/tls/signing-algorithm.ts";

const run = promisify(execFile);
const DAY_MS = 86_400_000;

let directory: TemporaryDirectory;
let own: { certPath: string; keyPath: string; directory: string };

beforeEach(async () => {
  directory = await temporaryDirectory();
  const path = directory.file("gateway", "tls");
  own = { directory: path, ...ownCertificatePaths(path) };
});
afterEach(() => directory[Symbol.asyncDispose]());

const load = (more: Partial<Parameters<typeof loadGatewayCertificate>[0]> = {}) =>
  loadGatewayCertificate({ directory: own.directory, autoGenerate: true, names: [], ...more });

async function openssl(...args: string[]): Promise<string> {
  const { stdout, stderr } = await run("openssl", args);
  return `${stdout}${stderr}`;
}

/** The user's own files, as some program of theirs made them. */
async function put(cert: string, key: string): Promise<{ certPath: string; keyPath: string }> {
  const paths = {
    certPath: directory.file("own-cert.pem"),
    keyPath: directory.file("own-key.pem"),
  };
  await writeFile(paths.certPath, cert);
  await writeFile(paths.keyPath, key, { mode: 0o600 });
  return paths;
}

/** As earlier releases made theirs, and many a person makes one. */
async function rsaByOpenssl(subject: string, ...more: string[]) {
  const paths = {
    certPath: directory.file("own-cert.pem"),
    keyPath: directory.file("own-key.pem"),
  };
  await openssl(
    ...["req", "-x509", "-newkey", "rsa:2048", "-sha256", "-days", "3650", "-nodes"],
    ...["-subj", subject, "-keyout", paths.keyPath, "-out", paths.certPath, ...more],
  );
  await chmod(paths.keyPath, 0o600);
  return paths;
}

describe("a certificate that the Gateway makes for itself", () => {
  test("is made once, kept, and the same at every start", async () => {
    const first = await load({ names: ["box.example", "192.168.1.20"] });
    expect(first).toMatchObject({ isGenerated: true, warnings: [], ...paths(own) });
    const again = await load({ names: ["another.example"] });
    expect(again).toEqual(first);
  });

  test("is private: files 0600 in a folder 0700, and nothing else in it", async () => {
    await load();
    const mode = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;
    expect(await mode(own.certPath)).toBe(0o600);
    expect(await mode(own.keyPath)).toBe(0o600);
    expect(await mode(own.directory)).toBe(0o700);
    expect((await readdir(own.directory)).sort()).toEqual(["gateway-cert.pem", "gateway-key.pem"]);
  });

  test("names the Gateway, its hosts, and ten years", async () => {
    const { cert, notAfterMs } = await load({
      names: ["Box.Example.", "192.168.1.20", "fd00::20", "not a name", "*", "", "0.0.0.0", "::"],
    });
    const parsed = new X509Certificate(cert);
    expect(parsed.subject).toBe("CN=openclaw-gateway");
    for (const host of ["box.example", "localhost"]) expect(parsed.checkHost(host)).toBeDefined();
    for (const ip of ["127.0.0.1", "::1", "192.168.1.20", "fd00::20"]) {
      expect(parsed.checkIP(ip)).toBeDefined();
    }
    expect(parsed.checkHost("another.example")).toBeUndefined();
    expect(parsed.checkIP("0.0.0.0")).toBeUndefined();
    expect(parsed.ca).toBe(false);
    expect(notAfterMs - Date.now()).toBeGreaterThan(3_649 * DAY_MS);
    expect(parsed.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  });

  test("shows the pins that openssl computes", async () => {
    const { fingerprint, publicKeyPin } = await load();
    const shown = await openssl("x509", "-in", own.certPath, "-noout", "-fingerprint", "-sha256");
    expect(shown.trim().toLowerCase()).toBe(`sha256 fingerprint=${fingerprint.toLowerCase()}`);
    await openssl(
      "pkey",
      "-in",
      own.keyPath,
      "-pubout",
      "-outform",
      "der",
      "-out",
      directory.file("p"),
    );
    await openssl("dgst", "-sha256", "-binary", "-out", directory.file("d"), directory.file("p"));
    const digest = await readFile(directory.file("d"));
    expect(publicKeyPin).toBe(`sha256//${digest.toString("base64")}`);
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)(
    "serves curl over %s, by its pin and as an authority of its own",
    async (version) => {
      const { cert, key, publicKeyPin } = await load({ names: ["box.example"] });
      await using server = await serve({ cert, key, minVersion: version, maxVersion: version });
      const url = `https://box.example:${server.port}/`;
      const resolve = [
        "--resolve",
        `box.example:${server.port}:127.0.0.1`,
        "--noproxy",
        "*",
        "-sS",
      ];
      const pinned = await run("curl", [...resolve, "-k", "--pinnedpubkey", publicKeyPin, url]);
      expect(pinned.stdout).toBe("served");
      const other = `sha256//${"A".repeat(43)}=`;
      await expect(run("curl", [...resolve, "-k", "--pinnedpubkey", other, url])).rejects.toThrow();
      const trusted = await run("curl", [...resolve, "--cacert", own.certPath, url]);
      expect(trusted.stdout).toBe("served");
    },
  );

  test("is trusted by a Node that is given it as its authority", async () => {
    const { cert, key } = await load();
    await using server = await serve({ cert, key });
    const socket = connect({ port: server.port, host: "127.0.0.1", ca: cert });
    await once(socket, "secureConnect");
    expect(socket.authorized).toBe(true);
    socket.destroy();
  });

  test("is made together by many that start at once in one process", async () => {
    const made = await Promise.all(Array.from({ length: 12 }, () => load()));
    expect(new Set(made.map(({ cert, key }) => cert + key)).size).toBe(1);
    expect((await readdir(own.directory)).length).toBe(2);
  });

  test("is made together by processes that start at once", async () => {
    const program = new URL("./support/make-many.ts", import.meta.url);
    const children = Array.from({ length: 4 }, () => fork(program, [own.directory]));
    await Promise.all(children.map(heard));
    const answers = children.map(async (child) => {
      child.send("go");
      const { fingerprint } = (await heard(child)) as { fingerprint: string };
      return fingerprint;
    });
    const fingerprints = new Set(await Promise.all(answers));
    expect([...fingerprints]).toEqual([(await load()).fingerprint]);
  }, 60_000);

  test("is finished where a start was interrupted after the key", async () => {
    const first = await load();
    await rm(own.certPath);
    const second = await load();
    expect(second.fingerprint).not.toBe(first.fingerprint);
    expect(second.publicKeyPin).toBe(first.publicKeyPin);
  });

  test("is not made where that is switched off", async () => {
    await expect(load({ autoGenerate: false })).rejects.toMatchObject({
      code: "CERT_MISSING",
      hint: expect.stringContaining("gateway.tls.autoGenerate"),
    });
    await expect(stat(own.directory)).rejects.toThrow("ENOENT");
  });

  test("cannot be made where nothing can be written, and says where", async () => {
    await writeFile(directory.file("gateway"), "a file where a folder should be");
    await expect(load()).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:NOT_WRITTEN|CERT_UNREADABLE)$/),
      message: expect.stringContaining(own.directory),
    });
  });

  test("still serves when its ten years are over, with a warning: its clients go by the pin", async () => {
    await load({ nowMs: Date.now() - 3_660 * DAY_MS });
    const { warnings } = await load();
    expect(warnings.join()).toMatch(/was valid until .*openclaw gateway certificate --renew/);
  });
});

describe("what is there is never replaced in silence", () => {
  test("a key that is gone", async () => {
    await load();
    await rm(own.keyPath);
    await expect(load()).rejects.toMatchObject({ code: "KEY_MISSING" });
    await expect(stat(own.keyPath)).rejects.toThrow("ENOENT");
  });

  test.each([
    ["an empty certificate", "certPath", "", "CERT_UNREADABLE"],
    ["half a certificate", "certPath", "-----BEGIN CERTIFICATE-----\nMIIB", "CERT_UNREADABLE"],
    [
      "a damaged one",
      "certPath",
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
      "CERT_UNREADABLE",
    ],
    ["an empty key", "keyPath", "", "KEY_UNREADABLE"],
    [
      "a damaged key",
      "keyPath",
      "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
      "KEY_UNREADABLE",
    ],
  ] as const)("%s", async (_, which, text, code) => {
    await load();
    await writeFile(own[which], text);
    await expect(load()).rejects.toMatchObject({
      name: "ExposureError",
      code,
      hint: expect.any(String),
      message: expect.stringContaining(own[which]),
    });
    expect(await readFile(own[which], "utf8")).toBe(text);
  });

  test("the key of another certificate", async () => {
    await load();
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    await writeFile(own.keyPath, privateKey.export({ type: "pkcs8", format: "pem" }));
    await expect(load()).rejects.toMatchObject({ code: "KEY_MISMATCH" });
    await expect(
      renewGatewayCertificate({ directory: own.directory, names: [] }),
    ).rejects.toMatchObject({ code: "KEY_MISMATCH" });
  });

  test("a folder in the place of a file", async () => {
    await mkdir(own.certPath, { recursive: true });
    await expect(load()).rejects.toMatchObject({ code: "CERT_UNREADABLE" });
  });
});

describe("a certificate of the user's own", () => {
  test("in RSA, as earlier releases made theirs, is used as it is", async () => {
    const given = await rsaByOpenssl("/CN=openclaw-gateway");
    const { isGenerated, warnings, certPath } = await load(given);
    expect({ isGenerated, warnings, certPath }).toEqual({
      isGenerated: true,
      warnings: [],
      certPath: given.certPath,
    });
    await expect(stat(own.directory)).rejects.toThrow("ENOENT");
  });

  test("with its chain has the pins of the server's part, and sends the whole", async () => {
    const { privateKey: issuerKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const issuer = await selfSigned(issuerKey);
    const first = await load();
    const given = await put(`leading text\n${first.cert}\n${issuer}`, first.key);
    const chained = await load(given);
    expect(chained.fingerprint).toBe(first.fingerprint);
    expect(chained.cert.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    const wrongOrder = await put(`${issuer}\n${first.cert}`, first.key);
    await expect(load(wrongOrder)).rejects.toMatchObject({
      code: "KEY_MISMATCH",
      hint: expect.stringContaining("comes first"),
    });
  });

  test("that is missing is not made: the path may be mistyped", async () => {
    const given = { certPath: directory.file("a.pem"), keyPath: directory.file("b.pem") };
    await expect(load(given)).rejects.toMatchObject({
      code: "CERT_MISSING",
      message: expect.stringContaining(given.certPath),
    });
    await expect(stat(given.certPath)).rejects.toThrow("ENOENT");
  });

  test("needs both paths", async () => {
    await expect(load({ certPath: "/a.pem" })).rejects.toMatchObject({
      code: "CERT_PATHS_INCOMPLETE",
      message: "gateway.tls.certPath is set, and gateway.tls.keyPath is not.",
    });
    await expect(load({ keyPath: "/a.pem" })).rejects.toMatchObject({
      code: "CERT_PATHS_INCOMPLETE",
    });
  });

  test.each(["pkcs8", "traditional"])(
    "whose key wants a passphrase (%s) is refused with the cure",
    async (form) => {
      const given = await rsaByOpenssl("/CN=box.example");
      await openssl(
        ...(form === "pkcs8" ? ["pkcs8", "-topk8"] : ["rsa", "-traditional", "-aes256"]),
        ...["-in", given.keyPath, "-out", directory.file("locked.pem"), "-passout", "pass:hunter2"],
      );
      const refusal = load({ ...given, keyPath: directory.file("locked.pem") });
      await expect(refusal).rejects.toMatchObject({
        code: "KEY_ENCRYPTED",
        hint: expect.stringContaining("openssl pkey -in"),
      });
    },
  );

  test("in DER, or with the key in its place, is told from one in PEM", async () => {
    const given = await rsaByOpenssl("/CN=box.example");
    const der = directory.file("cert.der");
    await openssl("x509", "-in", given.certPath, "-outform", "der", "-out", der);
    await expect(load({ ...given, certPath: der })).rejects.toMatchObject({
      code: "CERT_UNREADABLE",
      hint: expect.stringContaining("-inform der"),
    });
    await expect(load({ ...given, certPath: given.keyPath })).rejects.toMatchObject({
      code: "CERT_UNREADABLE",
      message: expect.stringContaining("holds a key instead"),
    });
  });

  test("that has expired is refused, and named with its issuer and day", async () => {
    const given = await rsaByOpenssl("/CN=box.example");
    await expect(load({ ...given, nowMs: Date.now() + 4_000 * DAY_MS })).rejects.toMatchObject({
      code: "CERT_EXPIRED",
      message: expect.stringMatching(/was valid until \d{4}-\d\d-\d\d\.$/),
    });
    const shown = await readGatewayCertificate({
      directory: own.directory,
      ...given,
      nowMs: Date.now() + 4_000 * DAY_MS,
    });
    expect(shown?.warnings.join()).toContain("was valid until");
  });

  test("that is valid for few more days is used with a warning", async () => {
    const given = await rsaByOpenssl("/CN=box.example");
    const { warnings } = await load({ ...given, nowMs: Date.now() + 3_640 * DAY_MS });
    expect(warnings).toEqual([expect.stringMatching(/is valid until .* only\.$/)]);
  });

  test("that is not valid yet is used with a word about the clock", async () => {
    const given = await rsaByOpenssl("/CN=box.example");
    const { warnings } = await load({ ...given, nowMs: Date.now() - 400 * DAY_MS });
    expect(warnings.join()).toContain("look at the clock");
  });

  test("whose key others can read is used with a warning", async () => {
    const given = await rsaByOpenssl("/CN=box.example");
    await chmod(given.keyPath, 0o644);
    const { warnings } = await load(given);
    expect(warnings).toEqual([
      `others on this machine can read the key: chmod 600 ${given.keyPath}`,
    ]);
  });

  test("with a key too short for TLS is refused before anybody connects", async () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 1_024 });
    const cert = await selfSigned(privateKey);
    const given = await put(cert, privateKey.export({ type: "pkcs8", format: "pem" }) as string);
    await expect(load(given)).rejects.toMatchObject({ code: "CERT_UNUSABLE" });
  });
});

describe("renewal", () => {
  test("keeps the key and its pin, and changes the certificate", async () => {
    const first = await load();
    const renewed = await renewGatewayCertificate({
      directory: own.directory,
      names: ["new.example"],
      nowMs: Date.now() + DAY_MS,
    });
    expect(renewed.publicKeyPin).toBe(first.publicKeyPin);
    expect(renewed.key).toBe(first.key);
    expect(renewed.fingerprint).not.toBe(first.fingerprint);
    expect(renewed.notAfterMs).toBeGreaterThan(first.notAfterMs);
    expect(new X509Certificate(renewed.cert).checkHost("new.example")).toBe("new.example");
    expect((await stat(own.certPath)).mode & 0o777).toBe(0o600);
    expect((await load()).fingerprint).toBe(renewed.fingerprint);
  });

  test("renews an RSA certificate of an earlier release in its place", async () => {
    const given = await rsaByOpenssl("/CN=openclaw-gateway");
    await mkdir(dirname(own.certPath), { recursive: true });
    await writeFile(own.certPath, await readFile(given.certPath));
    await writeFile(own.keyPath, await readFile(given.keyPath), { mode: 0o600 });
    const first = await load();
    const renewed = await renewGatewayCertificate({ directory: own.directory, names: [] });
    expect(renewed.publicKeyPin).toBe(first.publicKeyPin);
  });

  test("refuses a key that not every client understands, and keeps the certificate", async () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    await mkdir(own.directory, { recursive: true });
    await writeFile(own.keyPath, privateKey.export({ type: "pkcs8", format: "pem" }));
    await expect(load()).rejects.toMatchObject({
      code: "KEY_UNREADABLE",
      hint: expect.stringContaining("P-256"),
    });
    await expect(stat(own.certPath)).rejects.toThrow("ENOENT");
  });

  test("leaves one that somebody else has issued alone", async () => {
    const given = await rsaByOpenssl("/CN=box.example");
    await expect(
      renewGatewayCertificate({ directory: own.directory, names: [], ...given }),
    ).rejects.toMatchObject({ code: "CERT_NOT_OURS" });
  });

  test("needs something to renew", async () => {
    await expect(
      renewGatewayCertificate({ directory: own.directory, names: [] }),
    ).rejects.toMatchObject({ code: "CERT_MISSING" });
  });
});

test("whoever only looks makes nothing", async () => {
  await expect(readGatewayCertificate({ directory: own.directory })).resolves.toBeUndefined();
  await expect(stat(own.directory)).rejects.toThrow("ENOENT");
});

/** What a child says next; one that ends instead has failed. */
function heard(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once("message", resolve);
    child.once("exit", (code) => reject(new Error(`a process ended with ${code}`)));
  });
}

function selfSigned(key: KeyObject): Promise<string> {
  const algorithm = signingAlgorithmOf(key);
  return issueCertificate({ key, algorithm, names: [], nowMs: Date.now() });
}

function paths({ certPath, keyPath }: { certPath: string; keyPath: string }) {
  return { certPath, keyPath };
}

async function serve(options: object): Promise<{ port: number } & AsyncDisposable> {
  const server: Server = createServer(options, (_, response) => void response.end("served"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
