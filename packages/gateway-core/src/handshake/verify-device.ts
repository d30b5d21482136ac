import { type KeyObject, createHash, createPublicKey, verify } from "node:crypto";
import {
  type ConnectErrorDetailCode,
  type ConnectParams,
  buildDeviceAuthPayload,
  deviceKeyClaim,
} from "@openclaw/protocol";

/** How far a signature's time may be from ours, by the newest protocol the client speaks (wire §3.4). */
const SKEW_MS = { 3: 600_000, 4: 120_000 } as const;
const RAW_KEY_BYTES = 32;
/** The DER header of an Ed25519 SubjectPublicKeyInfo (RFC 8410 §4); the raw key follows it. */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

export type DeviceVerdict =
  /** `isFresh`: the signature is over this socket's nonce, so that nobody has just sent it again. */
  | { ok: true; deviceId: string; publicKey: string; isFresh: boolean }
  | { ok: false; detailCode: ConnectErrorDetailCode; reason: string; message: string };

/**
 * Whether a peer holds the key it claims: the id derives from the key, the time is near, the nonce
 * is this socket's, and the signature covers all of what was asked for, in that order.
 */
export function verifyDevice(
  params: ConnectParams,
  context: { nonce: string; isLocal: boolean; now: number },
): DeviceVerdict {
  const { device } = params;
  if (!device) throw new TypeError("verifyDevice wants params with a device");
  const raw = rawPublicKey(device.publicKey);
  if (!raw)
    return refused(
      "DEVICE_AUTH_PUBLIC_KEY_INVALID",
      "device-public-key",
      "device public key invalid",
    );
  if (createHash("sha256").update(raw).digest("hex") !== device.id.toLowerCase())
    return refused(
      "DEVICE_AUTH_DEVICE_ID_MISMATCH",
      "device-id-mismatch",
      "device identity mismatch",
    );

  const skewMs = params.maxProtocol >= 4 ? SKEW_MS[4] : SKEW_MS[3];
  if (Math.abs(context.now - device.signedAt) > skewMs)
    return refused(
      "DEVICE_AUTH_SIGNATURE_EXPIRED",
      "device-signature-stale",
      "device signature expired",
    );

  // Only the oldest clients, on this machine, may do without a nonce.
  const mayOmitNonce = context.isLocal && params.maxProtocol === 3;
  if (!device.nonce && !mayOmitNonce)
    return refused("DEVICE_AUTH_NONCE_REQUIRED", "device-nonce-missing", "device nonce required");
  if (device.nonce && device.nonce !== context.nonce)
    return refused("DEVICE_AUTH_NONCE_MISMATCH", "device-nonce-mismatch", "device nonce mismatch");

  const key = publicKeyOf(raw);
  const signature = Buffer.from(device.signature, "base64url");
  const versions = device.nonce ? (["v3", "v2"] as const) : (["v1"] as const);
  const fields = {
    deviceId: device.id,
    clientId: params.client.id,
    clientMode: params.client.mode,
    role: params.role ?? "operator",
    scopes: params.scopes ?? [],
    signedAtMs: device.signedAt,
    nonce: device.nonce ?? "",
    platform: params.client.platform,
    deviceFamily: params.client.deviceFamily,
  };
  // The oldest clients sign `auth.token` only; newer ones whichever credential they sent first.
  const { token, deviceToken, bootstrapToken, keyFor } = params.auth ?? {};
  const first = token || deviceToken || bootstrapToken;
  const claim = keyFor === undefined ? "" : deviceKeyClaim(keyFor);
  // A claim counts for nothing unless it is what was signed.
  const credentials = new Set(first || !claim ? [first || "", token ?? ""] : [claim]);
  for (const version of versions) {
    for (const credential of credentials) {
      const payload = buildDeviceAuthPayload(version, { ...fields, token: credential });
      if (isSignedBy(key, payload, signature))
        return {
          ok: true,
          deviceId: device.id.toLowerCase(),
          publicKey: raw.toString("base64url"),
          isFresh: Boolean(device.nonce),
        };
    }
  }
  return refused("DEVICE_AUTH_SIGNATURE_INVALID", "device-signature", "device signature invalid");
}

function refused(
  detailCode: ConnectErrorDetailCode,
  reason: string,
  message: string,
): DeviceVerdict {
  return { ok: false, detailCode, reason, message };
}

/** A key given in any of its forms as base64url without padding; undefined when it is none. */
export function canonicalPublicKey(text: string): string | undefined {
  return rawPublicKey(text)?.toString("base64url");
}

/** The 32 bytes of a key given as base64url, base64 or PEM. */
function rawPublicKey(text: string): Buffer | undefined {
  if (text.includes("BEGIN")) {
    try {
      const key = createPublicKey(text);
      if (key.asymmetricKeyType !== "ed25519") return undefined;
      return key.export({ type: "spki", format: "der" }).subarray(-RAW_KEY_BYTES);
    } catch {
      return undefined;
    }
  }
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return undefined;
  // Node's base64url decoder reads both alphabets.
  const raw = Buffer.from(text, "base64url");
  return raw.length === RAW_KEY_BYTES ? raw : undefined;
}

function publicKeyOf(raw: Buffer): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: "der", type: "spki" });
}

function isSignedBy(key: KeyObject, payload: string, signature: Buffer): boolean {
  try {
    return verify(null, Buffer.from(payload, "utf8"), key, signature);
  } catch {
    return false;
  }
}
