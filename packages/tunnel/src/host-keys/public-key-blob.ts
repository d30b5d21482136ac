import { createPublicKey } from "node:crypto";
import type { JsonWebKey, KeyObject } from "node:crypto";
import { orUndefined, readBlob } from "./blob-reader.ts";
import type { BlobReader } from "./blob-reader.ts";

/** Whether one field of a public key has the form that its type asks for. */
type FieldCheck = (field: Buffer) => boolean;

const anything: FieldCheck = () => true;
const point256 = uncompressedPoint(32);

/** The fields that follow the type in a public key, for each type that OpenSSH reads. */
const FIELDS: Readonly<Record<string, readonly FieldCheck[]>> = {
  "ssh-ed25519": [ofLength(32)],
  "ssh-rsa": [isPositive, isModulus],
  "ssh-dss": [isPositive, isPositive, isPositive, isPositive],
  "ecdsa-sha2-nistp256": [named("nistp256"), point256],
  "ecdsa-sha2-nistp384": [named("nistp384"), uncompressedPoint(48)],
  "ecdsa-sha2-nistp521": [named("nistp521"), uncompressedPoint(66)],
  "sk-ssh-ed25519@openssh.com": [ofLength(32), anything],
  "sk-ecdsa-sha2-nistp256@openssh.com": [named("nistp256"), point256, anything],
};

const CURVES: Readonly<Record<string, string>> = {
  "ecdsa-sha2-nistp256": "P-256",
  "ecdsa-sha2-nistp384": "P-384",
  "ecdsa-sha2-nistp521": "P-521",
};

/** OpenSSH takes shorter ones for malformed. */
const MIN_RSA_BITS = 1024;

/** The type that a key or a certificate names itself; undefined where the blob is none. */
export function blobType(blob: Buffer): string | undefined {
  const type = orUndefined(() => readBlob(blob).string().toString("latin1"));
  return type !== undefined && /^[\w@.-]{1,64}$/u.test(type) ? type : undefined;
}

/** The fields of a key behind its type, or undefined where they do not fit the type. */
export function readKeyFields(type: string, reader: BlobReader): readonly Buffer[] | undefined {
  if (!Object.hasOwn(FIELDS, type)) return undefined;
  const fields: Buffer[] = [];
  for (const fits of FIELDS[type] ?? []) {
    const field = reader.string();
    if (!fits(field)) return undefined;
    fields.push(field);
  }
  return fields;
}

/** Whether a blob is a well-formed public key of a type, not a certificate. */
export function isPublicKeyBlob(blob: Buffer, type: string): boolean {
  return (
    orUndefined(() => {
      const reader = readBlob(blob);
      if (reader.string().toString("latin1") !== type) return false;
      return readKeyFields(type, reader) !== undefined && reader.isAtEnd;
    }) ?? false
  );
}

/** The key for `node:crypto`; undefined for a type that it cannot verify with, or a point off its curve. */
export function toKeyObject(blob: Buffer): KeyObject | undefined {
  const type = blobType(blob);
  if (type === undefined || !isPublicKeyBlob(blob, type)) return undefined;
  const reader = readBlob(blob);
  reader.string();
  const [first, second] = readKeyFields(type, reader) ?? [];
  if (first === undefined) return undefined;
  const jwk = toJwk(type, first, second);
  if (jwk === undefined) return undefined;
  try {
    return createPublicKey({ key: jwk, format: "jwk" });
  } catch {
    return undefined;
  }
}

function toJwk(type: string, first: Buffer, second: Buffer | undefined): JsonWebKey | undefined {
  if (type === "ssh-ed25519") {
    return { kty: "OKP", crv: "Ed25519", x: first.toString("base64url") };
  }
  if (second === undefined) return undefined;
  if (type === "ssh-rsa") {
    const [e, n] = [first, second].map((field) => magnitude(field).toString("base64url"));
    return { kty: "RSA", e: e ?? "", n: n ?? "" };
  }
  const crv = CURVES[type];
  if (crv === undefined) return undefined;
  const half = (second.length - 1) / 2;
  const x = second.subarray(1, 1 + half).toString("base64url");
  return { kty: "EC", crv, x, y: second.subarray(1 + half).toString("base64url") };
}

/** An `mpint` without the zeros in front. */
export function magnitude(field: Buffer): Buffer {
  let start = 0;
  while (start < field.length && field[start] === 0) start += 1;
  return field.subarray(start);
}

function ofLength(bytes: number): FieldCheck {
  return (field) => field.length === bytes;
}

function named(name: string): FieldCheck {
  return (field) => field.toString("latin1") === name;
}

function uncompressedPoint(coordinateBytes: number): FieldCheck {
  return (field) => field.length === 1 + 2 * coordinateBytes && field[0] === 4;
}

function isPositive(field: Buffer): boolean {
  return ((field[0] ?? 0x80) & 0x80) === 0 && magnitude(field).length > 0;
}

function isModulus(field: Buffer): boolean {
  const digits = magnitude(field);
  const bits = digits.length * 8 - Math.clz32(digits[0] ?? 0) + 24;
  return isPositive(field) && bits >= MIN_RSA_BITS;
}
