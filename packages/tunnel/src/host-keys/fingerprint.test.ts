import fc from "fast-check";
import { expect, test } from "vitest";
import { fingerprintOf, isSameFingerprint, keyTypeOf, parseFingerprint } from "./fingerprint.ts";

// The host key of github.com and its fingerprint, both as GitHub publishes them.
const GITHUB = Buffer.from(
  "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
  "base64",
);
const GITHUB_FINGERPRINT = "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU";
const digits = GITHUB_FINGERPRINT.slice("SHA256:".length);

test("a fingerprint is the one that ssh-keygen prints", () => {
  expect(fingerprintOf(GITHUB)).toBe(GITHUB_FINGERPRINT);
  expect(keyTypeOf(GITHUB)).toBe("ssh-ed25519");
});

test("what is no key has no known type", () => {
  for (const blob of ["", "ssh-ed25519", "\0\0\0\xffssh-rsa", "\0\0\0\x03a b"]) {
    expect(keyTypeOf(Buffer.from(blob, "latin1"))).toBe("unknown");
  }
});

test("a written fingerprint is read with and without prefix and padding, and in hexadecimal", () => {
  const hex = Buffer.from(digits, "base64").toString("hex");
  for (const text of [
    GITHUB_FINGERPRINT,
    digits,
    `${digits}=`,
    `SHA256:${digits}=`,
    `sha256:${digits}`,
    `  ${GITHUB_FINGERPRINT}\n`,
    hex,
    hex.toUpperCase(),
    `SHA256:${hex}`,
  ]) {
    expect(parseFingerprint(text)).toBe(GITHUB_FINGERPRINT);
  }
});

test.each([
  "",
  "SHA256:",
  digits.slice(1),
  `${digits}A`,
  `${digits}==`,
  // The last letter of 256 bits has sixteen values only.
  `${digits.slice(0, -1)}V`,
  digits.replace("+", "-"),
  `SHA512:${digits}`,
  "MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
  "16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
  "ssh-ed25519",
])("%j is an invalid option, and the error says how to print a fingerprint", (text) => {
  expect(() => parseFingerprint(text)).toThrow(
    expect.objectContaining({
      code: "INVALID_OPTION",
      hint: expect.stringContaining("ssh-keygen"),
    }),
  );
});

test("each fingerprint is read back as it was written, and differs from all others", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.uint8Array({ maxLength: 80 }), (a, b) => {
      const [one, other] = [fingerprintOf(Buffer.from(a)), fingerprintOf(Buffer.from(b))];
      expect(parseFingerprint(one)).toBe(one);
      expect(isSameFingerprint(one, other)).toBe(Buffer.from(a).equals(Buffer.from(b)));
    }),
  );
});
