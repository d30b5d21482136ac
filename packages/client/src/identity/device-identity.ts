/**
 * The key that a device proves itself with. The device id is the lower-case hex SHA-256 of the raw
 * Ed25519 public key, so it cannot be chosen.
 */
export interface DeviceIdentity {
  /** 64 hex characters. */
  readonly deviceId: string;
  /** The raw 32 bytes as base64url without padding. */
  readonly publicKey: string;
  /** Signs the UTF-8 bytes of `payload`; the 64 bytes as base64url without padding. */
  sign(payload: string): string | Promise<string>;
}
