import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from "node:crypto";
import ssh2 from "ssh2";
import { describe, expect, test } from "vitest";
import { inspectPrivateKey, openPrivateKey, type PrivateKey } from "./private-key.ts";
import { parsePublicKeyText } from "./public-key.ts";
import { readWire } from "./wire-format.ts";

const PASSPHRASE = "correct horse";
const DATA = Buffer.from("what is signed");

const keys = {
  ed25519: generateKeyPairSync("ed25519").privateKey,
  rsa: generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey,
  p256: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
  p384: generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey,
  p521: generateKeyPairSync("ec", { namedCurve: "P-521" }).privateKey,
};

function pkcs8(key: KeyObject, passphrase?: string): string {
  const encryption = passphrase === undefined ? {} : { cipher: "aes-256-cbc", passphrase };
  return String(key.export({ type: "pkcs8", format: "pem", ...encryption }));
}

function opened(text: string, passphrase?: string): PrivateKey {
  const result = openPrivateKey(text, passphrase);
  if (result.kind !== "opened") throw new Error(`it is ${result.kind}`);
  return result.key;
}

describe("a private key", () => {
  test.each([
    ["ed25519", "ssh-ed25519", "ssh-ed25519", null],
    ["rsa", "ssh-rsa", "rsa-sha2-512", "sha512"],
    ["rsa", "ssh-rsa", "rsa-sha2-256", "sha256"],
    ["p256", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256", "sha256"],
    ["p384", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384", "sha384"],
    ["p521", "ecdsa-sha2-nistp521", "ecdsa-sha2-nistp521", "sha512"],
  ] as const)("of %s is a %s and signs with %s", (name, type, algorithm, hash) => {
    const key = opened(pkcs8(keys[name]));

    const reader = readWire(key.sign(DATA, algorithm));

    expect(key.publicKey.type).toBe(type);
    expect(reader.text()).toBe(algorithm);
    const signature = name.startsWith("p") ? derOf(reader.string()) : reader.string();
    expect(verify(hash, DATA, createPublicKey(keys[name]), signature)).toBe(true);
    expect(reader.isAtEnd).toBe(true);
  });

  test.each(["aes256-ctr", "aes128-cbc", "aes256-gcm@openssh.com"])(
    "in OpenSSH's format, encrypted with %s, tells its public half and opens",
    (cipher) => {
      const pair = ssh2.utils.generateKeyPairSync("ed25519", {
        cipher,
        passphrase: PASSPHRASE,
        rounds: 1,
      });
      const expected = parsePublicKeyText(pair.public);

      expect(inspectPrivateKey(pair.private)).toEqual({
        kind: "key",
        isEncrypted: true,
        publicKey: expected,
      });
      expect(opened(pair.private, PASSPHRASE).publicKey).toEqual(expected);
      expect(openPrivateKey(pair.private, "wrong")).toEqual({ kind: "wrong-passphrase" });
    },
  );

  test("in PKCS#8, encrypted, opens with its passphrase only", () => {
    const text = pkcs8(keys.ed25519, PASSPHRASE);

    expect(inspectPrivateKey(text)).toEqual({
      kind: "key",
      isEncrypted: true,
      publicKey: undefined,
    });
    expect(opened(text, PASSPHRASE).publicKey.type).toBe("ssh-ed25519");
    expect(openPrivateKey(text, "wrong")).toEqual({ kind: "wrong-passphrase" });
  });

  test.each(["pkcs1", "sec1"] as const)("in the old format %s works, encrypted or not", (type) => {
    const key = type === "pkcs1" ? keys.rsa : keys.p256;
    const plain = String(key.export({ type, format: "pem" } as never));
    const encryption = { cipher: "aes-128-cbc", passphrase: PASSPHRASE };
    const encrypted = String(key.export({ type, format: "pem", ...encryption } as never));

    expect(inspectPrivateKey(plain)).toMatchObject({ isEncrypted: false });
    expect(inspectPrivateKey(encrypted)).toMatchObject({ isEncrypted: true });
    expect(opened(encrypted, PASSPHRASE).publicKey).toEqual(opened(plain).publicKey);
    expect(openPrivateKey(encrypted, "wrong")).toEqual({ kind: "wrong-passphrase" });
  });

  test("may have other text around it", () => {
    const text = `Bag Attributes\r\n${pkcs8(keys.ed25519).replaceAll("\n", "\r\n")}\r\ntrailer`;

    expect(opened(text).publicKey.type).toBe("ssh-ed25519");
  });

  test.each([
    ["a kind that SSH does not know", pkcs8(generateKeyPairSync("ed448").privateKey), "ed448"],
    ["PuTTY's format", "PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\n", "PuTTY"],
    ["DSA", "-----BEGIN DSA PRIVATE KEY-----\nMA==\n-----END DSA PRIVATE KEY-----", "DSA"],
  ])("of %s is refused with the reason", (_, text, reason) => {
    expect(inspectPrivateKey(text)).toEqual({
      kind: "unsupported",
      reason: expect.stringContaining(reason),
    });
  });

  test.each([
    ["nothing", ""],
    ["a certificate", "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----"],
    ["OpenSSH's frame around something else", frame("nothing of the kind")],
    ["OpenSSH's format, cut off", frame("openssh-key-v1\0\0\0\0\u{4}none")],
  ])("is not found in %s", (_, text) => {
    expect(inspectPrivateKey(text)).toEqual({ kind: "none" });
  });
});

function frame(content: string): string {
  const base64 = Buffer.from(content).toString("base64");
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${base64}\n-----END OPENSSH PRIVATE KEY-----`;
}

/** The signature of OpenSSH's wire as OpenSSL wants it. */
function derOf(signature: Buffer): Buffer {
  const reader = readWire(signature);
  const integers = [reader.string(), reader.string()].map((number) =>
    Buffer.concat([Buffer.of(2, number.length), number]),
  );
  const body = Buffer.concat(integers);
  const length = body.length < 128 ? [body.length] : [0x81, body.length];
  return Buffer.concat([Buffer.of(0x30, ...length), body]);
}
