import {
  createPrivateKey,
  createPublicKey,
  type JsonWebKey,
  type KeyObject,
  sign,
} from "node:crypto";
import ssh2 from "ssh2";
import { isSecurityKeyType, type PublicKey, publicKeyOf } from "./public-key.ts";
import { readWire, wireMpint, wireStrings } from "./wire-format.ts";

/** What a private key file tells before it is opened. */
export type PrivateKeyFile =
  | {
      readonly kind: "key";
      readonly isEncrypted: boolean;
      /** OpenSSH's own format carries it in clear; the others only when they are not encrypted. */
      readonly publicKey: PublicKey | undefined;
    }
  /** A reference to a hardware token. */
  | { readonly kind: "security-key"; readonly publicKey: PublicKey }
  /** A key, but none of ours; the reason is for people. */
  | { readonly kind: "unsupported"; readonly reason: string }
  | { readonly kind: "none" };

/** A key that can sign. */
export interface PrivateKey {
  readonly publicKey: PublicKey;
  /** @returns name and signature, as they go over the wire */
  sign(data: Buffer, algorithm: string): Buffer;
}

export type OpenedPrivateKey =
  | { readonly kind: "opened"; readonly key: PrivateKey }
  | { readonly kind: "wrong-passphrase" }
  | { readonly kind: "unsupported"; readonly reason: string };

const OPENSSH = "OPENSSH PRIVATE KEY";
const OPENSSH_MAGIC = "openssh-key-v1\0";
/** Those for key files that ssh2 undoes; ssh-keygen writes aes256-ctr unless told otherwise. */
const OPENSSH_CIPHERS = /^(?:none|aes(?:128|192|256)-(?:ctr|cbc|gcm@openssh\.com)|3des-cbc)$/u;
const CURVES: Readonly<Record<string, string>> = {
  "P-256": "nistp256",
  "P-384": "nistp384",
  "P-521": "nistp521",
};
const HASHES: Readonly<Record<string, string>> = {
  "ssh-rsa": "sha1",
  "rsa-sha2-256": "sha256",
  "rsa-sha2-512": "sha512",
  "ecdsa-sha2-nistp256": "sha256",
  "ecdsa-sha2-nistp384": "sha384",
  "ecdsa-sha2-nistp521": "sha512",
};

/** Looks at a private key without opening it. */
export function inspectPrivateKey(text: string): PrivateKeyFile {
  if (/^PuTTY-User-Key-File-\d/mu.test(text)) {
    return { kind: "unsupported", reason: "it is in PuTTY's format" };
  }
  const block = pemBlock(text);
  if (block === undefined) return { kind: "none" };
  switch (block.label) {
    case OPENSSH:
      return inspectOpenSsh(block.pem);
    case "ENCRYPTED PRIVATE KEY":
      return { kind: "key", isEncrypted: true, publicKey: undefined };
    case "PRIVATE KEY":
    case "RSA PRIVATE KEY":
    case "EC PRIVATE KEY": {
      if (/^Proc-Type: 4,ENCRYPTED/mu.test(block.pem)) {
        return { kind: "key", isEncrypted: true, publicKey: undefined };
      }
      const opened = openPrivateKey(text, undefined);
      if (opened.kind === "opened") {
        return { kind: "key", isEncrypted: false, publicKey: opened.key.publicKey };
      }
      return opened.kind === "unsupported" ? opened : { kind: "none" };
    }
    case "DSA PRIVATE KEY":
      return { kind: "unsupported", reason: "it is a DSA key, which SSH servers no longer accept" };
    default:
      return { kind: "unsupported", reason: `it is a "${block.label}"` };
  }
}

/** Opens a key that {@link inspectPrivateKey} has found. */
export function openPrivateKey(text: string, passphrase: string | undefined): OpenedPrivateKey {
  const block = pemBlock(text);
  if (block === undefined) return { kind: "unsupported", reason: "it holds no private key" };
  try {
    const key =
      block.label === OPENSSH
        ? openOpenSsh(block.pem, passphrase)
        : createPrivateKey({
            key: block.pem,
            // Without one OpenSSL must not ask at the terminal.
            passphrase: passphrase ?? "",
          });
    const blob = publicBlobOf(createPublicKey(key).export({ format: "jwk" }));
    const publicKey = blob && publicKeyOf(blob);
    if (publicKey === undefined) {
      return { kind: "unsupported", reason: `it is of the type ${key.asymmetricKeyType}` };
    }
    return {
      kind: "opened",
      key: { publicKey, sign: (data, algorithm) => signWith(key, data, algorithm) },
    };
  } catch {
    // The text of the error is of no use to people, and the cause is one of two.
    if (passphrase !== undefined) return { kind: "wrong-passphrase" };
    return { kind: "unsupported", reason: "it is damaged" };
  }
}

function pemBlock(text: string): { label: string; pem: string } | undefined {
  const match = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n[\s\S]*?-----END \1-----/u.exec(text);
  if (match?.[1] === undefined || !match[1].endsWith("PRIVATE KEY")) return undefined;
  return { label: match[1], pem: match[0] };
}

function inspectOpenSsh(pem: string): PrivateKeyFile {
  try {
    const data = Buffer.from(pem.replace(/-----[^-]+-----/gu, ""), "base64");
    if (data.subarray(0, OPENSSH_MAGIC.length).toString("latin1") !== OPENSSH_MAGIC) {
      return { kind: "none" };
    }
    const reader = readWire(data.subarray(OPENSSH_MAGIC.length));
    const cipher = reader.text();
    reader.string(); // the key derivation
    reader.string(); // its options
    reader.uint32(); // how many keys; always one
    const publicKey = publicKeyOf(reader.string());
    if (publicKey === undefined) return { kind: "none" };
    if (isSecurityKeyType(publicKey.type)) return { kind: "security-key", publicKey };
    if (publicKey.type === "ssh-dss") {
      return { kind: "unsupported", reason: "it is a DSA key, which SSH servers no longer accept" };
    }
    if (!OPENSSH_CIPHERS.test(cipher)) {
      return { kind: "unsupported", reason: `it is encrypted with ${cipher}` };
    }
    return { kind: "key", isEncrypted: cipher !== "none", publicKey };
  } catch {
    return { kind: "none" };
  }
}

function openOpenSsh(pem: string, passphrase: string | undefined): KeyObject {
  const parsed = ssh2.utils.parseKey(pem, passphrase);
  if (parsed instanceof Error) throw parsed;
  return createPrivateKey(parsed.getPrivatePEM());
}

function publicBlobOf({ kty, crv, n, e, x, y }: JsonWebKey): Buffer | undefined {
  const bytes = (base64url: string | undefined): Buffer =>
    Buffer.from(base64url ?? "", "base64url");
  if (kty === "RSA") {
    return Buffer.concat([wireStrings("ssh-rsa"), wireMpint(bytes(e)), wireMpint(bytes(n))]);
  }
  if (kty === "OKP" && crv === "Ed25519") return wireStrings("ssh-ed25519", bytes(x));
  const curve = kty === "EC" ? CURVES[crv ?? ""] : undefined;
  if (curve === undefined) return undefined;
  const point = Buffer.concat([Buffer.of(4), bytes(x), bytes(y)]);
  return wireStrings(`ecdsa-sha2-${curve}`, curve, point);
}

function signWith(key: KeyObject, data: Buffer, algorithm: string): Buffer {
  const hash = HASHES[algorithm] ?? null;
  if (!algorithm.startsWith("ecdsa-")) return wireStrings(algorithm, sign(hash, data, key));
  const pair = sign(hash, data, { key, dsaEncoding: "ieee-p1363" });
  const half = pair.length / 2;
  return wireStrings(
    algorithm,
    Buffer.concat([wireMpint(pair.subarray(0, half)), wireMpint(pair.subarray(half))]),
  );
}
