import { isCertificateType, plainTypeOf, type PublicKey } from "./public-key.ts";
import { readWire, type WireReader, wireStrings } from "./wire-format.ts";

/** A certificate of OpenSSH's own kind (PROTOCOL.certkeys). */
export interface Certificate extends PublicKey {
  /** The key that is certified, without the certificate around it. */
  readonly keyBlob: Buffer;
  readonly keyId: string;
  /** False for the certificate of a host. */
  readonly isForUsers: boolean;
  /** Seconds since 1970. */
  readonly validAfter: bigint;
  readonly validBefore: bigint;
}

/** How many strings make up the key, after the nonce. */
const KEY_FIELDS: Readonly<Record<string, number>> = {
  "ssh-rsa": 2,
  "ssh-ed25519": 1,
  "ecdsa-sha2-nistp256": 2,
  "ecdsa-sha2-nistp384": 2,
  "ecdsa-sha2-nistp521": 2,
  "sk-ssh-ed25519@openssh.com": 2,
  "sk-ecdsa-sha2-nistp256@openssh.com": 3,
};
const USER_CERTIFICATE = 1;

/** @returns undefined for a plain key, an unknown type, and what is malformed */
export function parseCertificate({ type, blob }: PublicKey): Certificate | undefined {
  const plainType = plainTypeOf(type);
  const fields = KEY_FIELDS[plainType];
  if (!isCertificateType(type) || fields === undefined) return undefined;
  try {
    return readFields(readWire(blob));
  } catch {
    return undefined;
  }

  function readFields(reader: WireReader): Certificate {
    reader.string(); // the type
    reader.string(); // the nonce
    const key = Array.from({ length: fields ?? 0 }, () => reader.string());
    reader.uint64(); // the serial
    const isForUsers = reader.uint32() === USER_CERTIFICATE;
    const keyId = reader.text();
    reader.string(); // the principals
    const validAfter = reader.uint64();
    const validBefore = reader.uint64();
    const keyBlob = wireStrings(plainType, ...key);
    return { type, blob, keyBlob, keyId, isForUsers, validAfter, validBefore };
  }
}

/** Why a server will refuse it for its time, for people; undefined while it is valid. */
export function invalidityOf(
  { validAfter, validBefore }: Certificate,
  nowMs: number = Date.now(),
): string | undefined {
  const now = BigInt(Math.floor(nowMs / 1000));
  if (now >= validBefore) return `expired ${dateOf(validBefore)}`;
  if (now < validAfter) return `not valid before ${dateOf(validAfter)}`;
  return undefined;
}

function dateOf(seconds: bigint): string {
  const date = new Date(Number(seconds) * 1000);
  return Number.isNaN(date.getTime()) ? "in a far future" : date.toISOString().slice(0, 10);
}
