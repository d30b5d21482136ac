/** Layouts of the text that a device signs. A protocol 3 server of 2026.1 knows v1 and v2 only. */
export type DeviceAuthVersion = "v1" | "v2" | "v3";

/** What a device signature covers. */
export interface DeviceAuthFields {
  /** Lowercase hex SHA-256 of the raw public key. */
  deviceId: string;
  clientId: string;
  clientMode: string;
  /** The effective role, `operator` where the request names none. */
  role: string;
  /** Exactly `params.scopes` in its order; empty when absent. */
  scopes: readonly string[];
  /** `device.signedAt`, milliseconds since the epoch. */
  signedAtMs: number;
  /**
   * The first of `auth.token`, `auth.deviceToken`, `auth.bootstrapToken` that was sent; with
   * `auth.keyFor` its {@link deviceKeyClaim}.
   */
  token?: string | null | undefined;
  /** The challenge of this socket. Not in v1. */
  nonce?: string | null | undefined;
  /** `client.platform`. In v3 only. */
  platform?: string | null | undefined;
  /** `client.deviceFamily`. In v3 only. */
  deviceFamily?: string | null | undefined;
}

/**
 * The text whose UTF-8 bytes a device signs with Ed25519: the version and its fields joined by `|`,
 * an absent field as the empty string.
 */
export function buildDeviceAuthPayload(
  version: DeviceAuthVersion,
  fields: DeviceAuthFields,
): string {
  const parts: string[] = [
    version,
    fields.deviceId,
    fields.clientId,
    fields.clientMode,
    fields.role,
    fields.scopes.join(","),
    String(fields.signedAtMs),
    fields.token ?? "",
  ];
  if (version !== "v1") parts.push(fields.nonce ?? "");
  if (version === "v3") {
    parts.push(
      normalizeDeviceMetadata(fields.platform),
      normalizeDeviceMetadata(fields.deviceFamily),
    );
  }
  return parts.join("|");
}

/**
 * What a device that brings nothing but its key signs in place of a token. It names the host that was
 * dialled, so that whoever answered there cannot pass the signature on to another Gateway.
 *
 * @param host lower case, without port and brackets.
 */
export function deviceKeyClaim(host: string): string {
  return `key-for:${host}`;
}

/** A platform or device family as v3 signs it: trimmed, ASCII letters lowered, others untouched. */
export function normalizeDeviceMetadata(value?: string | null): string {
  return (value ?? "").trim().replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Bytes as base64url without padding. */
export function encodeBase64Url(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** Bytes of base64url or base64 text, padded or not; `undefined` for anything else. */
export function decodeBase64Url(text: string): Uint8Array | undefined {
  // atob skips white space, which is no part of either alphabet.
  if (!/^[\w+/-]*={0,2}$/.test(text)) return undefined;
  const unpadded = text.replace(/=+$/, "");
  if (unpadded.length % 4 === 1) return undefined;
  const binary = atob(unpadded.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
