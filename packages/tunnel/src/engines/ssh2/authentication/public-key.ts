import { createHash } from "node:crypto";
import { readWire } from "./wire-format.ts";

/** A public key or a certificate, as it goes over the wire. */
export interface PublicKey {
  /** For example `ssh-ed25519` or `ssh-rsa-cert-v01@openssh.com`. */
  readonly type: string;
  readonly blob: Buffer;
}

const CERTIFICATE_SUFFIX = "-cert-v01@openssh.com";

/** @returns undefined for what is no key */
export function publicKeyOf(blob: Buffer): PublicKey | undefined {
  try {
    const type = readWire(blob).text();
    return /^[a-z][\w@.-]*$/iu.test(type) ? { type, blob } : undefined;
  } catch {
    return undefined;
  }
}

/** Reads the first key of a `.pub` file; undefined where there is none. */
export function parsePublicKeyText(text: string): PublicKey | undefined {
  for (const line of text.split(/\r?\n/u)) {
    const [name, base64] = line.trim().split(/\s+/u);
    if (name === undefined || base64 === undefined || !/^[A-Za-z0-9+/=]+$/u.test(base64)) continue;
    const key = publicKeyOf(Buffer.from(base64, "base64"));
    if (key?.type === name) return key;
  }
  return undefined;
}

export function isCertificateType(type: string): boolean {
  return type.endsWith(CERTIFICATE_SUFFIX);
}

/** The key type that a certificate type certifies; a plain type is its own. */
export function plainTypeOf(type: string): string {
  if (!isCertificateType(type)) return type;
  const base = type.slice(0, -CERTIFICATE_SUFFIX.length);
  // `sk-ssh-ed25519-cert-v01@openssh.com` certifies `sk-ssh-ed25519@openssh.com`.
  return base.startsWith("sk-") ? `${base}@openssh.com` : base;
}

/** Keys that live in a hardware token, and sign at a touch. */
export function isSecurityKeyType(type: string): boolean {
  return plainTypeOf(type).startsWith("sk-");
}

/** As `ssh-add -l` names it: `ED25519`, `RSA-CERT`, `ECDSA-SK`. */
export function shortTypeOf(type: string): string {
  const plain = plainTypeOf(type);
  const kind = plain.includes("ed25519")
    ? "ED25519"
    : plain.includes("ecdsa")
      ? "ECDSA"
      : plain.replace(/^ssh-/u, "").toUpperCase();
  return `${kind}${isSecurityKeyType(type) ? "-SK" : ""}${isCertificateType(type) ? "-CERT" : ""}`;
}

/** `SHA256:` and unpadded base64, as `ssh-keygen -l` prints it. */
export function fingerprintOf(blob: Buffer): string {
  const digest = createHash("sha256").update(blob).digest("base64");
  return `SHA256:${digest.replace(/=+$/u, "")}`;
}
