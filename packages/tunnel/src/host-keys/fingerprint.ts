import { createHash, timingSafeEqual } from "node:crypto";
import { TunnelError } from "../errors.ts";
import { blobType } from "./public-key-blob.ts";

const PREFIX = "SHA256:";

/** The fingerprint of a public key as `ssh-keygen -l` prints it: `SHA256:` and unpadded base64. */
export function fingerprintOf(blob: Buffer): string {
  return format(createHash("sha256").update(blob).digest());
}

/**
 * The type that a public key or a certificate names, for example `ssh-ed25519`; `unknown` where the
 * blob names none. An RSA key is `ssh-rsa`, whatever it signs with.
 */
export function keyTypeOf(blob: Buffer): string {
  return blobType(blob) ?? "unknown";
}

/**
 * Reads a fingerprint that somebody wrote down: `SHA256:` and base64, with or without the prefix and
 * the padding, or 64 hexadecimal digits.
 *
 * @returns it as {@link fingerprintOf} writes it
 * @throws {@link TunnelError} `INVALID_OPTION`
 */
export function parseFingerprint(text: string): string {
  const value = text.trim();
  if (/^(?:MD5:)?(?:[0-9a-f]{2}:){15}[0-9a-f]{2}$/iu.test(value)) {
    throw invalid("is an MD5 one, which proves nothing any more");
  }
  const digits = value.replace(/^SHA256:/iu, "");
  if (/^[0-9a-f]{64}$/iu.test(digits)) return format(Buffer.from(digits, "hex"));
  const digest = Buffer.from(digits, "base64");
  // Written back it has to be the same: a last letter that says more than 256 bits is a slip.
  if (digest.length === 32 && unpadded(digest) === digits.replace(/=$/u, "")) return format(digest);
  throw invalid("is not SHA256: and 43 letters of base64");
}

/** Whether two fingerprints, as {@link parseFingerprint} gives them, are the same; in constant time. */
export function isSameFingerprint(one: string, other: string): boolean {
  const [first, second] = [Buffer.from(one), Buffer.from(other)];
  return first.length === second.length && timingSafeEqual(first, second);
}

function format(digest: Buffer): string {
  return `${PREFIX}${unpadded(digest)}`;
}

function unpadded(digest: Buffer): string {
  return digest.toString("base64").replace(/=+$/u, "");
}

function invalid(fault: string): TunnelError {
  return new TunnelError("INVALID_OPTION", `the fingerprint of the host key ${fault}.`, {
    hint: "Print it on the host: ssh-keygen -l -E sha256 -f /etc/ssh/ssh_host_ed25519_key.pub",
  });
}
