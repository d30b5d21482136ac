import { createHash, createPublicKey, verify } from "node:crypto";
import { signaturePayload } from "@openclaw/testkit";
import type { Protocol3Connect } from "./connect-schema.ts";

const SKEW_MS = 600_000;
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

/** Why the older generation refuses this device; `undefined` when it does not. */
export function deviceFault(params: Protocol3Connect, nonce: string): string | undefined {
  const { device, client, role = "operator", scopes = [] } = params;
  if (!device) return undefined;
  const raw = Buffer.from(device.publicKey, "base64url");
  if (createHash("sha256").update(raw).digest("hex") !== device.id) {
    return "device identity mismatch";
  }
  if (Math.abs(Date.now() - device.signedAt) > SKEW_MS) return "device signature expired";
  if (device.nonce === undefined) return "device nonce required";
  if (device.nonce !== nonce) return "device nonce mismatch";
  const key = createPublicKey({
    key: Buffer.concat([SPKI_PREFIX, raw]),
    format: "der",
    type: "spki",
  });
  // It knows no later layout of the signed text, and only `auth.token` of the credentials.
  const payload = signaturePayload("v2", device.id, {
    clientId: client.id,
    clientMode: client.mode,
    role,
    scopes,
    signedAtMs: device.signedAt,
    token: params.auth?.token ?? "",
    nonce: device.nonce,
  });
  const isSigned = verify(
    null,
    Buffer.from(payload),
    key,
    Buffer.from(device.signature, "base64url"),
  );
  return isSigned ? undefined : "device signature invalid";
}
