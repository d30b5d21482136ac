import { expect, test } from "vitest";
import {
  fingerprintOf,
  isSecurityKeyType,
  parsePublicKeyText,
  plainTypeOf,
  publicKeyOf,
  shortTypeOf,
} from "./public-key.ts";
import { wireStrings } from "./wire-format.ts";

// The key and the fingerprint of github.com, which publishes both.
const GITHUB = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

test("a line of a .pub file is a key, with a comment or without", () => {
  const plain = parsePublicKeyText(`${GITHUB}\n`);
  const commented = parsePublicKeyText(`# mine\r\n\r\n${GITHUB} me@laptop, at work\r\n`);

  expect(plain?.type).toBe("ssh-ed25519");
  expect(commented?.blob).toEqual(plain?.blob);
  expect(fingerprintOf(plain?.blob ?? Buffer.alloc(0))).toBe(
    "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU",
  );
});

test.each([
  ["nothing", ""],
  ["a private key", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----"],
  ["a type that the key does not have", GITHUB.replace("ssh-ed25519", "ssh-rsa")],
  ["a key that is cut off", "ssh-ed25519 AAAA"],
])("%s is no public key", (_, text) => {
  expect(parsePublicKeyText(text)).toBeUndefined();
});

test("a blob that names no type is no key", () => {
  expect(publicKeyOf(Buffer.alloc(0))).toBeUndefined();
  expect(publicKeyOf(wireStrings("\u{1B}[2J", "x"))).toBeUndefined();
});

test.each([
  ["ssh-ed25519", "ssh-ed25519", "ED25519"],
  ["ssh-rsa", "ssh-rsa", "RSA"],
  ["ecdsa-sha2-nistp384", "ecdsa-sha2-nistp384", "ECDSA"],
  ["ssh-rsa-cert-v01@openssh.com", "ssh-rsa", "RSA-CERT"],
  ["sk-ssh-ed25519@openssh.com", "sk-ssh-ed25519@openssh.com", "ED25519-SK"],
  ["sk-ssh-ed25519-cert-v01@openssh.com", "sk-ssh-ed25519@openssh.com", "ED25519-SK-CERT"],
  [
    "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ECDSA-SK-CERT",
  ],
])("%s certifies %s, and is shown as %s", (type, plain, short) => {
  expect(plainTypeOf(type)).toBe(plain);
  expect(shortTypeOf(type)).toBe(short);
  expect(isSecurityKeyType(type)).toBe(type.startsWith("sk-"));
});
