import { verify } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { blobString, orUndefined, readBlob } from "./blob-reader.ts";
import { fingerprintOf } from "./fingerprint.ts";
import type { KnownKey } from "./known-hosts.ts";
import { blobType, magnitude, readKeyFields, toKeyObject } from "./public-key-blob.ts";

/** What an OpenSSH certificate says. Its signature is checked apart, by {@link certificateFault}. */
export interface HostCertificate {
  /** For example `ssh-ed25519-cert-v01@openssh.com`. */
  readonly type: string;
  /** The key that is certified, as a plain public key. */
  readonly publicKey: Buffer;
  readonly serial: bigint;
  /** `user` or `host`; another number as `unknown`. */
  readonly kind: "user" | "host" | "unknown";
  readonly keyId: string;
  /** Host names, without wildcards. Empty means every host. */
  readonly principals: readonly string[];
  /** Seconds since 1970. */
  readonly validAfter: bigint;
  /** Seconds since 1970; the certificate is invalid from then on. */
  readonly validBefore: bigint;
  /** Names of the critical options; none is defined for hosts. */
  readonly criticalOptions: readonly string[];
  /** The key of the authority that has signed. */
  readonly authority: Buffer;
  /** What is signed. */
  readonly signedPart: Buffer;
  readonly signature: Buffer;
}

/** What a certificate has to fit. */
export interface CertificateExpectation {
  /** The host name, or its HostKeyAlias; without a port. */
  readonly principal: string;
  /** The authorities that may sign for this host. */
  readonly authorities: readonly KnownKey[];
  /** Epoch milliseconds. */
  readonly now: number;
}

const CERTIFICATE_SUFFIX = "-cert-v01@openssh.com";

/** Key types of authorities with the signatures that OpenSSH accepts of them; none with SHA-1. */
const SIGNATURES: Readonly<Record<string, Readonly<Record<string, string | null>>>> = {
  "ssh-ed25519": { "ssh-ed25519": null },
  "ssh-rsa": { "rsa-sha2-256": "sha256", "rsa-sha2-512": "sha512" },
  "ecdsa-sha2-nistp256": { "ecdsa-sha2-nistp256": "sha256" },
  "ecdsa-sha2-nistp384": { "ecdsa-sha2-nistp384": "sha384" },
  "ecdsa-sha2-nistp521": { "ecdsa-sha2-nistp521": "sha512" },
};

/** Bytes of one coordinate, thus of one half of a signature. */
const COORDINATE_BYTES: Readonly<Record<string, number>> = {
  "ecdsa-sha2-nistp256": 32,
  "ecdsa-sha2-nistp384": 48,
  "ecdsa-sha2-nistp521": 66,
};

/** Whether a blob calls itself a certificate; it may still be malformed. */
export function isCertificateBlob(blob: Buffer): boolean {
  return blobType(blob)?.endsWith(CERTIFICATE_SUFFIX) ?? false;
}

/** Reads a certificate as it stands in a key exchange; undefined where it is malformed. */
export function parseHostCertificate(blob: Buffer): HostCertificate | undefined {
  const type = blobType(blob);
  if (type === undefined || !isCertificateBlob(blob)) return undefined;
  return orUndefined(() => readCertificate(type, blob));
}

/**
 * What is wrong with a certificate, as half a sentence for people; undefined when it proves the host.
 * Principals are compared letter by letter: OpenSSH knows no patterns in a host certificate.
 */
export function certificateFault(
  certificate: HostCertificate,
  { principal, authorities, now }: CertificateExpectation,
): string | undefined {
  const { kind, principals, validAfter, validBefore, criticalOptions, authority } = certificate;
  const seconds = BigInt(Math.floor(now / 1000));
  if (!authorities.some(({ blob }) => blob.equals(authority))) {
    return `is signed by ${fingerprintOf(authority)}, which is no known authority for it`;
  }
  if (!hasValidSignature(certificate)) return "has no valid signature";
  if (kind !== "host") return "is not one for a host";
  if (seconds < validAfter) return "is not yet valid";
  if (seconds >= validBefore) return "has expired";
  if (principals.length > 0 && !principals.includes(principal)) {
    return `does not list the name ${principal}`;
  }
  if (criticalOptions.length > 0) return "has a critical option that is not known";
  return undefined;
}

/** Whether the authority that a certificate names has signed it, with an algorithm that counts. */
export function hasValidSignature({ authority, signature, signedPart }: HostCertificate): boolean {
  const type = blobType(authority);
  const key = toKeyObject(authority);
  if (type === undefined || key === undefined) return false;
  return (
    orUndefined(() => {
      const reader = readBlob(signature);
      const algorithm = reader.string().toString("latin1");
      const value = reader.string();
      const hash = SIGNATURES[type]?.[algorithm];
      if (hash === undefined || !reader.isAtEnd) return false;
      const raw = toRawSignature(type, key, value);
      if (raw === undefined) return false;
      return verify(hash, signedPart, { key, dsaEncoding: "ieee-p1363" }, raw);
    }) ?? false
  );
}

function readCertificate(type: string, blob: Buffer): HostCertificate | undefined {
  const reader = readBlob(blob);
  reader.string();
  const nonce = reader.string();
  const plainType = plainTypeOf(type);
  const fields = readKeyFields(plainType, reader);
  if (fields === undefined || nonce.length === 0) return undefined;
  const serial = reader.uint64();
  const kind = reader.uint32();
  const keyId = reader.string().toString("utf8");
  const principals = readStrings(reader.string()).map((name) => name.toString("utf8"));
  const validAfter = reader.uint64();
  const validBefore = reader.uint64();
  const criticalOptions = readOptionNames(reader.string());
  // Extensions say what a host may leave unread; the reserved field is empty today.
  readOptionNames(reader.string());
  reader.string();
  const authority = reader.string();
  const signedPart = blob.subarray(0, reader.offset);
  const signature = reader.string();
  if (!reader.isAtEnd) return undefined;
  return {
    type,
    publicKey: Buffer.concat([plainType, ...fields].map(blobString)),
    serial,
    kind: kind === 1 ? "user" : kind === 2 ? "host" : "unknown",
    keyId,
    principals,
    validAfter,
    validBefore,
    criticalOptions,
    authority,
    signedPart,
    signature,
  };
}

/** `sk-ssh-ed25519-cert-v01@openssh.com` certifies a `sk-ssh-ed25519@openssh.com`. */
function plainTypeOf(certificateType: string): string {
  const plain = certificateType.slice(0, -CERTIFICATE_SUFFIX.length);
  return plain.startsWith("sk-") ? `${plain}@openssh.com` : plain;
}

function readStrings(list: Buffer): Buffer[] {
  const reader = readBlob(list);
  const values: Buffer[] = [];
  while (!reader.isAtEnd) values.push(reader.string());
  return values;
}

/** Names of options, each followed by its data. */
function readOptionNames(list: Buffer): string[] {
  const reader = readBlob(list);
  const names: string[] = [];
  while (!reader.isAtEnd) {
    names.push(reader.string().toString("utf8"));
    reader.string();
  }
  return names;
}

/** SSH writes the halves of an ECDSA signature as numbers, and may leave zeros of an RSA one out. */
function toRawSignature(type: string, key: KeyObject, value: Buffer): Buffer | undefined {
  if (type === "ssh-rsa") {
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    return leftPadded(value, Math.ceil(bits / 8));
  }
  const bytes = COORDINATE_BYTES[type];
  if (bytes === undefined) return value;
  const reader = readBlob(value);
  const r = leftPadded(magnitude(reader.string()), bytes);
  const s = leftPadded(magnitude(reader.string()), bytes);
  if (r === undefined || s === undefined || !reader.isAtEnd) return undefined;
  return Buffer.concat([r, s]);
}

function leftPadded(value: Buffer, bytes: number): Buffer | undefined {
  if (value.length > bytes) return undefined;
  return Buffer.concat([Buffer.alloc(bytes - value.length), value]);
}
