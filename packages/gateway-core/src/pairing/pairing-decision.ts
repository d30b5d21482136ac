import { missingScopes } from "@openclaw/protocol";
import type { DeviceClaim, DeviceRecord } from "./device-record.ts";

/** Why a device may not come in yet (wire §6.3). */
export type PairingReason = "not-paired" | "role-upgrade" | "scope-upgrade" | "metadata-upgrade";

export const PAIRING_REASON_TEXT: Readonly<Record<PairingReason, string>> = {
  "not-paired": "device is not approved yet",
  "role-upgrade": "device is asking for a higher role than currently approved",
  "scope-upgrade": "device is asking for more scopes than currently approved",
  "metadata-upgrade": "device identity changed and must be re-approved",
};

/** What stands between a claim and the record we hold of that device; nothing when it may come in. */
export function pairingGap(
  record: DeviceRecord | undefined,
  claim: DeviceClaim,
): PairingReason | undefined {
  if (!record || record.publicKey !== claim.publicKey) return "not-paired";
  const grant = record.roles[claim.role];
  // What an operator took away is asked for again, also by a peer that knows the shared secret.
  if (!grant || grant.revokedAtMs !== undefined) return "role-upgrade";
  if (missingScopes(grant.scopes, claim.scopes).length > 0) return "scope-upgrade";
  if (metadataChanged(record, claim)) return "metadata-upgrade";
  return undefined;
}

/**
 * Whether a device that has proven its key, and brings nothing else, may be let in for its role and
 * given its token again.
 *
 * A device token opens nothing without a signature by the key it was issued to: whoever can ask for
 * one here could have used it before. So the token adds no proof that the key does not give, and a
 * device that has lost it is as much itself as it was. It gets what was approved for that very role
 * and key and is still granted; to want more, or what was revoked, is to ask an operator.
 */
export function mayRepair(
  record: DeviceRecord | undefined,
  { publicKey, role }: { publicKey: string; role: string },
): record is DeviceRecord {
  if (!record || record.publicKey !== publicKey || !Object.hasOwn(record.roles, role)) return false;
  return record.roles[role]?.revokedAtMs === undefined;
}

/**
 * An OS update changes the number in `macOS 15.1`; another system changes the word. A peer that
 * leaves the family out (the older envelope does) or writes the raw Node.js name is not another
 * device.
 */
function metadataChanged(record: DeviceRecord, claim: DeviceClaim): boolean {
  const before = systemName(record.platform);
  const now = systemName(claim.platform);
  if (before && now && before !== now) return true;
  const familyBefore = record.deviceFamily?.toLowerCase();
  const familyNow = claim.deviceFamily?.toLowerCase();
  return Boolean(familyBefore && familyNow && familyBefore !== familyNow);
}

function systemName(platform: string | undefined): string {
  const name = (platform ?? "").toLowerCase();
  if (name.startsWith("darwin")) return "macos";
  if (name.startsWith("win32")) return "windows";
  return name.replace(/[^a-z]+.*$/, "");
}
