import { safeText } from "@openclaw/app-kit";
import { CliError } from "../errors.ts";
import type { GatewaySession } from "../gateway/session.ts";
import { matchId } from "../nodes/match-id.ts";
import type { DevicePairList, DeviceToken, PairedDevice } from "./device-entry.ts";
import { deviceName } from "./device-view.ts";

/** The paired device with that id, or with an id that begins so. */
export async function findDevice(session: GatewaySession, id: string): Promise<PairedDevice> {
  const { paired = [] } = await session.request<Partial<DevicePairList>>("device.pair.list", {});
  return matchId("device", id, paired, (device) => device.deviceId, deviceName);
}

/**
 * The token that a device has for a role. The Gateway would only say "denied".
 *
 * @throws {CliError} `cli_error` with the roles that there are tokens for
 */
export function findToken(device: PairedDevice, role: string): DeviceToken {
  const tokens = device.tokens ?? [];
  const found = tokens.find((token) => token.role === role);
  if (found !== undefined) return found;
  const roles = tokens.map((token) => safeText(token.role)).join(", ");
  throw new CliError(
    "cli_error",
    `${deviceName(device)} has no token for the role "${safeText(role)}" (it has: ${roles === "" ? "none" : roles})`,
    { fields: { kind: "not_found" } },
  );
}
