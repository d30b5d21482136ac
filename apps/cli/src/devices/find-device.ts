import type { GatewaySession } from "../gateway/session.ts";
import { matchId } from "../nodes/match-id.ts";
import type { DevicePairList, PairedDevice } from "./device-entry.ts";

/** The paired device with that id, or with an id that begins so. */
export async function findDevice(session: GatewaySession, id: string): Promise<PairedDevice> {
  const { paired = [] } = await session.request<Partial<DevicePairList>>("device.pair.list", {});
  return matchId("device", id, paired, (device) => device.deviceId);
}
