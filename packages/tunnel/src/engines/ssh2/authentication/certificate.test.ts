import { expect, test } from "vitest";
import { invalidityOf, parseCertificate } from "./certificate.ts";
import { wireString, wireStrings, wireUint32 } from "./wire-format.ts";

const HOUR = 3600n;
const FOR_EVER = 2n ** 64n - 1n;

function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

function certificate(
  type: string,
  key: readonly string[],
  { kind = 1, after = 0n, before = FOR_EVER } = {},
): { type: string; blob: Buffer } {
  const blob = Buffer.concat([
    wireStrings(type, "nonce", ...key),
    uint64(1n),
    wireUint32(kind),
    wireStrings("id of it", wireString("me")),
    uint64(after),
    uint64(before),
    wireStrings("", "", "", "the authority", "its signature"),
  ]);
  return { type, blob };
}

test.each([
  ["ssh-ed25519-cert-v01@openssh.com", "ssh-ed25519", ["point"]],
  ["ssh-rsa-cert-v01@openssh.com", "ssh-rsa", ["exponent", "modulus"]],
  ["ecdsa-sha2-nistp256-cert-v01@openssh.com", "ecdsa-sha2-nistp256", ["nistp256", "point"]],
  ["sk-ssh-ed25519-cert-v01@openssh.com", "sk-ssh-ed25519@openssh.com", ["point", "ssh:"]],
])("%s gives away the key it certifies", (type, plainType, fields) => {
  const parsed = parseCertificate(certificate(type, fields));

  expect(parsed).toMatchObject({ keyId: "id of it", isForUsers: true, validBefore: FOR_EVER });
  expect(parsed?.keyBlob).toEqual(wireStrings(plainType, ...fields));
});

test("the certificate of a host is told from that of a user", () => {
  const ofHost = certificate("ssh-ed25519-cert-v01@openssh.com", ["point"], { kind: 2 });

  expect(parseCertificate(ofHost)?.isForUsers).toBe(false);
});

test("what is no certificate, or is cut off, is none", () => {
  const whole = certificate("ssh-ed25519-cert-v01@openssh.com", ["point"]);

  expect(parseCertificate({ type: "ssh-ed25519", blob: whole.blob })).toBeUndefined();
  expect(parseCertificate({ ...whole, type: "ssh-new-cert-v01@openssh.com" })).toBeUndefined();
  expect(parseCertificate({ ...whole, blob: whole.blob.subarray(0, 40) })).toBeUndefined();
});

test("its time is told only when it is over or has not come", () => {
  const nowMs = Date.UTC(2026, 0, 2, 12);
  const now = BigInt(nowMs / 1000);
  const invalidity = (after: bigint, before: bigint): string | undefined => {
    const made = certificate("ssh-ed25519-cert-v01@openssh.com", ["point"], { after, before });
    const parsed = parseCertificate(made);
    return parsed && invalidityOf(parsed, nowMs);
  };

  expect(invalidity(0n, FOR_EVER)).toBeUndefined();
  expect(invalidity(now - HOUR, now + HOUR)).toBeUndefined();
  expect(invalidity(0n, now)).toBe("expired 2026-01-02");
  expect(invalidity(now + 24n * HOUR, FOR_EVER)).toBe("not valid before 2026-01-03");
  expect(invalidity(FOR_EVER, FOR_EVER)).toBe("not valid before in a far future");
});
