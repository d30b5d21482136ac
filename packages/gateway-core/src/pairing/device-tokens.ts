import { createHmac, randomBytes } from "node:crypto";
import { secretsEqual } from "../auth/constant-time.ts";
import type { Store } from "../store/store.ts";
import type { DeviceRecord, RoleGrant } from "./device-record.ts";

export type TokenFailure =
  | "device-not-paired"
  | "role-missing"
  | "token-revoked"
  | "token-mismatch";

/** Issues and checks the tokens of paired devices. */
export interface DeviceTokens {
  /** The token of a device in a role: 43 characters of base64url, the same until it is rotated. */
  issue(deviceId: string, role: string, grant: RoleGrant): string;
  verify(
    record: DeviceRecord | undefined,
    role: string,
    presented: string,
  ): { ok: true } | { ok: false; reason: TokenFailure };
}

const SECRET_KEY = "device-token-secret";

/**
 * Tokens are derived, not stored: an HMAC of device, role and generation under a secret of this
 * Gateway. A copy of the device records alone opens nothing, and rotating is counting up.
 */
export function createDeviceTokens(store: Store): DeviceTokens {
  const secret = loadSecret(store);
  const issue = (deviceId: string, role: string, grant: RoleGrant): string =>
    createHmac("sha256", secret)
      .update(`device-token\n${deviceId}\n${role}\n${grant.generation}`)
      .digest("base64url");

  return {
    issue,
    verify(record, role, presented) {
      if (!record) return { ok: false, reason: "device-not-paired" };
      const grant = record.roles[role];
      if (!grant) return { ok: false, reason: "role-missing" };
      if (grant.revokedAtMs !== undefined) return { ok: false, reason: "token-revoked" };
      if (!secretsEqual(presented, issue(record.deviceId, role, grant)))
        return { ok: false, reason: "token-mismatch" };
      return { ok: true };
    },
  };
}

function loadSecret(store: Store): Buffer {
  const stored = store.read("settings").get(SECRET_KEY);
  if (typeof stored === "string") return Buffer.from(stored, "base64url");
  const secret = randomBytes(32);
  const value = secret.toString("base64url");
  store.write([{ kind: "put", collection: "settings", key: SECRET_KEY, value }]);
  return secret;
}
