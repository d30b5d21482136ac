import { createHash, createPrivateKey, createPublicKey, randomBytes, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";

/** What goes into a device signature, besides the device id; see {@link signaturePayload}. */
export interface SignatureFields {
  clientId: string;
  clientMode: string;
  role: string;
  scopes: readonly string[];
  signedAtMs: number;
  token?: string;
  nonce?: string;
  platform?: string;
  deviceFamily?: string;
}

/** The three generations of device signatures. */
export type SignatureVersion = "v1" | "v2" | "v3";

/** An Ed25519 device identity, written apart from the product's own so that one checks the other. */
export interface TestIdentity {
  /** Lowercase hex SHA-256 of the raw public key. */
  readonly deviceId: string;
  /** The raw public key in base64url without padding. */
  readonly publicKey: string;
  /** The key itself, for tests that want another encoding of it. */
  readonly privateKey: KeyObject;
  /** Signs any text; base64url without padding. */
  sign(payload: string): string;
}

/** DER around a raw Ed25519 seed (RFC 8410), so that the key can be made from chosen bytes. */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/** Creates an identity: random, or from a seed of 32 bytes. */
export function createTestIdentity(seed: Uint8Array = randomBytes(32)): TestIdentity {
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, seed]),
    format: "der",
    type: "pkcs8",
  });
  const publicDer = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  const raw = publicDer.subarray(publicDer.length - 32);
  return {
    deviceId: createHash("sha256").update(raw).digest("hex"),
    publicKey: raw.toString("base64url"),
    privateKey,
    sign: (payload) => sign(null, Buffer.from(payload, "utf8"), privateKey).toString("base64url"),
  };
}

/** The text that a device signs: fields joined by `|`, an absent one empty. */
export function signaturePayload(
  version: SignatureVersion,
  deviceId: string,
  fields: SignatureFields,
): string {
  const parts = [
    version,
    deviceId,
    fields.clientId,
    fields.clientMode,
    fields.role,
    fields.scopes.join(","),
    String(fields.signedAtMs),
    fields.token ?? "",
  ];
  if (version !== "v1") parts.push(fields.nonce ?? "");
  if (version === "v3") parts.push(plain(fields.platform), plain(fields.deviceFamily));
  return parts.join("|");
}

/** Trimmed, with ASCII letters lowered and everything else left as it is. */
function plain(text = ""): string {
  return text.trim().replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
