import { execFile } from "node:child_process";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { generateSshKey, hasSshd, startOpenSshServer, temporaryDirectory } from "@openclaw/testkit";
import type { SshKey, SshKeyType, SshServer, TemporaryDirectory } from "@openclaw/testkit";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  certificateFault,
  hasValidSignature,
  parseHostCertificate,
} from "../../src/host-keys/host-certificate.ts";
import type { HostCertificate } from "../../src/host-keys/host-certificate.ts";
import { knownHostsName } from "../../src/host-keys/known-hosts-name.ts";
import { readKnownHosts } from "../../src/host-keys/known-hosts.ts";
import { readShownKey } from "../../src/host-keys/shown-key.ts";
import { decideHostKey } from "../../src/host-keys/verify-host-key.ts";
import { keyFromText } from "./support/test-keys.ts";
import { sshVerdict } from "./support/ssh-verdict.ts";

const run = promisify(execFile);
const TYPES: readonly SshKeyType[] = ["ed25519", "rsa", "ecdsa"];

describe.skipIf(!hasSshd)("host certificates (Debian package openssh-server)", () => {
  let directory: TemporaryDirectory;
  let server: SshServer;
  let host: SshKey;
  let authority: SshKey;
  let stranger: SshKey;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    [host, authority, stranger] = await Promise.all([newKey(), newKey(), newKey()]);
    server = await startOpenSshServer({ hostKeys: [host] });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  describe("what a certificate says", () => {
    test.each(TYPES.flatMap((key) => TYPES.map((ca) => [key, ca] as const)))(
      "%s, signed by %s, is read and its signature holds",
      async (keyType, authorityType) => {
        const [key, ca] = await Promise.all([newKey(keyType), newKey(authorityType)]);
        const blob = await sign(key, ca, [
          ...["-h", "-I", "box no. 7", "-n", "box,box.example", "-z", "18446744073709551615"],
          ...["-V", "20200101000000Z:20300101000000Z"],
        ]);
        const certificate = parsed(blob);
        expect(certificate).toMatchObject({
          publicKey: keyFromText(key.publicKey).blob,
          serial: 18_446_744_073_709_551_615n,
          kind: "host",
          keyId: "box no. 7",
          principals: ["box", "box.example"],
          validAfter: 1_577_836_800n,
          validBefore: 1_893_456_000n,
          criticalOptions: [],
          authority: keyFromText(ca.publicKey).blob,
        });
        expect(hasValidSignature(certificate)).toBe(true);
      },
    );

    test.each([384, 521])("curves of %d bits work too", async (bits) => {
      const ca = directory.file(`ca_${bits}`);
      await run("ssh-keygen", ["-q", "-t", "ecdsa", "-b", String(bits), "-N", "", "-f", ca]);
      const key = { ...host, ...(await copyOf(host)) };
      await run("ssh-keygen", ["-q", "-s", ca, "-I", "x", "-h", key.publicKeyPath]);
      const certificate = parsed(await certificateOf(key.publicKeyPath));
      expect(hasValidSignature(certificate)).toBe(true);
    });

    test("a signature with SHA-1 does not count", async () => {
      const [key, ca] = await Promise.all([newKey(), newKey("rsa")]);
      const blob = await sign(key, ca, ["-t", "ssh-rsa", "-h", "-I", "x"]);
      expect(hasValidSignature(parsed(blob))).toBe(false);
      const other = await sign(key, ca, ["-t", "rsa-sha2-256", "-h", "-I", "x"]);
      expect(hasValidSignature(parsed(other))).toBe(true);
    });

    test.each(TYPES)("no changed byte survives, signed by %s", async (type) => {
      const ca = await newKey(type);
      const blob = await sign(host, ca, ["-h", "-I", "x", "-n", "box"]);
      const authorities = [{ ...keyFromText(ca.publicKey), file: "/kh", line: 1 }];
      const isGood = (changed: Buffer): boolean => {
        const certificate = parseHostCertificate(changed);
        if (certificate === undefined) return false;
        const expectation = { principal: "box", now: Date.now(), authorities };
        return certificateFault(certificate, expectation) === undefined;
      };
      expect(isGood(blob)).toBe(true);
      fc.assert(
        fc.property(fc.nat(blob.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
          const changed = Buffer.from(blob);
          changed[at] = (changed[at] ?? 0) ^ flip;
          expect(isGood(changed)).toBe(false);
        }),
      );
    });

    test("a certificate that is cut off, or followed by more, is none", async () => {
      const blob = await sign(host, authority, ["-h", "-I", "x", "-n", "box"]);
      for (let length = 0; length < blob.length; length += 1) {
        expect(parseHostCertificate(blob.subarray(0, length))).toBe(undefined);
      }
      expect(parseHostCertificate(Buffer.concat([blob, Buffer.of(0)]))).toBe(undefined);
      expect(parseHostCertificate(keyFromText(host.publicKey).blob)).toBe(undefined);
      expect(() => readShownKey("box", blob.subarray(0, -1))).toThrow(
        expect.objectContaining({ code: "HOST_KEY_UNKNOWN" }),
      );
    });
  });

  const KNOWN = ["accept", "accept"] as const;
  const UNKNOWN = ["refuse", "accept-and-record"] as const;
  const REFUSED = ["refuse", "refuse"] as const;
  const TRUSTED = "@cert-authority * AUTHORITY";
  const VALID = ["-h", "-V", "-1d:+1d"];

  test.each([
    ["the name of the host", [...VALID, "-n", "127.0.0.1"], [TRUSTED], KNOWN, undefined],
    ["several names", [...VALID, "-n", "a,127.0.0.1,b"], [TRUSTED], KNOWN, undefined],
    ["no name", VALID, [TRUSTED], KNOWN, undefined],
    ["another name", [...VALID, "-n", "fox"], [TRUSTED], UNKNOWN, /does not list/u],
    ["a pattern", [...VALID, "-n", "*"], [TRUSTED], UNKNOWN, /does not list/u],
    ["a name with its port", [...VALID, "-n", "[127.0.0.1]:PORT"], [TRUSTED], UNKNOWN, /not list/u],
    ["a past end", ["-h", "-V", "-2d:-1d"], [TRUSTED], UNKNOWN, /has expired/u],
    ["a future begin", ["-h", "-V", "+1d:+2d"], [TRUSTED], UNKNOWN, /is not yet valid/u],
    ["the kind of a user's", ["-V", "-1d:+1d"], [TRUSTED], UNKNOWN, /is not one for a host/u],
    ["a critical option", [...VALID, "-O", "critical:a=b"], [TRUSTED], UNKNOWN, /critical option/u],
    ["an extension", [...VALID, "-O", "extension:a=b"], [TRUSTED], KNOWN, undefined],
    ["an unknown authority", VALID, ["@cert-authority * STRANGER"], UNKNOWN, /no known authority/u],
    ["an authority of the port", VALID, ["@cert-authority [*]:PORT AUTHORITY"], KNOWN, undefined],
    ["an authority of the name", VALID, ["@cert-authority 127.0.0.1 AUTHORITY"], KNOWN, undefined],
    ["an authority of others", VALID, ["@cert-authority fox AUTHORITY"], UNKNOWN, /no known/u],
    ["another known key", VALID, [TRUSTED, "* STRANGER"], KNOWN, undefined],
    ["a past end, and a known key", ["-h", "-V", "-2d:-1d"], [TRUSTED, "* HOST"], KNOWN, undefined],
    [
      "a past end, and another known key",
      ["-h", "-V", "-2d:-1d"],
      [TRUSTED, "* STRANGER"],
      REFUSED,
      /has changed/u,
    ],
    [
      "a revoked authority",
      VALID,
      [TRUSTED, "@revoked * AUTHORITY", "* HOST"],
      REFUSED,
      /authority behind .* is revoked/u,
    ],
    ["a revoked key", VALID, [TRUSTED, "@revoked * HOST"], REFUSED, /host key of .* is revoked/u],
  ])("OpenSSH and we agree on one with %s", async (_with, options, lines, expected, message) => {
    const key = await copyOf(host);
    const args = ["-I", "test", ...options.map(withPort)];
    const blob = await sign({ ...host, ...key }, authority, args);
    const certificatePath = key.publicKeyPath.replace(".pub", "-cert.pub");
    await server.restart({ config: [`HostCertificate "${certificatePath}"`] });
    const knownHosts = lines.map((line) => `${withPort(withKeys(line))}\n`).join("");
    const verdicts = await Promise.all(
      ["yes", "accept-new"].map((strictHostKeyChecking) =>
        sshVerdict({
          directory: directory.path,
          port: server.port,
          knownHosts,
          strictHostKeyChecking,
        }),
      ),
    );
    expect(verdicts.map(({ kind }) => kind)).toEqual(expected);
    expect(verdicts.map(({ log }) => log)).toEqual([
      expect.stringContaining("Server host certificate"),
      expect.stringContaining("Server host certificate"),
    ]);

    const file = `${key.publicKeyPath}.known_hosts`;
    await writeFile(file, knownHosts);
    const name = knownHostsName({
      hostName: server.host,
      port: server.port,
      hostKeyAlias: undefined,
    });
    const known = (await readKnownHosts([file])).lookup(name);
    const shown = readShownKey(name.display, blob);
    const decisions = (["strict", "accept-new"] as const).map((policy) =>
      decideHostKey({ shown, known, policy, strictHostKeyChecking: "yes" }),
    );
    expect(decisions.map(({ kind }) => kind)).toEqual(expected);
    const [strict] = decisions;
    const refused = strict?.kind === "refuse" ? strict.error.message : undefined;
    if (message === undefined) expect(refused).toBe(undefined);
    else expect(refused).toMatch(message);
  });

  function newKey(type: SshKeyType = "ed25519"): Promise<SshKey> {
    return generateSshKey({ type, directory: directory.path });
  }

  /** Another place for the same public key, so that its certificate has a file of its own. */
  async function copyOf(key: SshKey): Promise<{ publicKeyPath: string }> {
    const publicKeyPath = directory.file(`${crypto.randomUUID()}.pub`);
    await copyFile(key.publicKeyPath, publicKeyPath);
    return { publicKeyPath };
  }

  async function sign(
    { publicKeyPath }: SshKey,
    { privateKeyPath }: SshKey,
    options: readonly string[],
  ): Promise<Buffer> {
    await run("ssh-keygen", ["-q", "-s", privateKeyPath, ...options, publicKeyPath]);
    return certificateOf(publicKeyPath);
  }

  async function certificateOf(publicKeyPath: string): Promise<Buffer> {
    const text = await readFile(publicKeyPath.replace(/\.pub$/u, "-cert.pub"), "utf8");
    return keyFromText(text).blob;
  }

  function withPort(text: string): string {
    return text.replaceAll("PORT", String(server.port));
  }

  function withKeys(line: string): string {
    return line
      .replace("HOST", keyFromText(host.publicKey).text)
      .replace("AUTHORITY", keyFromText(authority.publicKey).text)
      .replace("STRANGER", keyFromText(stranger.publicKey).text);
  }
});

function parsed(blob: Buffer): HostCertificate {
  const certificate = parseHostCertificate(blob);
  if (certificate === undefined) throw new Error("the certificate is malformed");
  return certificate;
}
