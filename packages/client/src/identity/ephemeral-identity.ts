import { generateKeyPairSync } from "node:crypto";
import { ed25519Identity } from "./ed25519-identity.ts";
import type { DeviceIdentity } from "./device-identity.ts";

/** A fresh identity that is kept nowhere. */
export function createEphemeralIdentity(): DeviceIdentity {
  return ed25519Identity(generateKeyPairSync("ed25519").privateKey);
}
