import { createHash, createPublicKey, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { DeviceIdentity } from "./device-identity.ts";

/** Identity over an Ed25519 private key. */
export function ed25519Identity(privateKey: KeyObject): DeviceIdentity {
  if (privateKey.asymmetricKeyType !== "ed25519") throw new TypeError("not an Ed25519 key");
  // The last 32 bytes of an Ed25519 SPKI document are the raw key.
  const raw = createPublicKey(privateKey).export({ type: "spki", format: "der" }).subarray(-32);
  return {
    deviceId: createHash("sha256").update(raw).digest("hex"),
    publicKey: raw.toString("base64url"),
    sign: (payload) => sign(null, Buffer.from(payload), privateKey).toString("base64url"),
  };
}
