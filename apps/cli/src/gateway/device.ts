import { existsSync } from "node:fs";
import {
  type DeviceIdentity,
  type DeviceTokenStore,
  fileTokenStore,
  loadOrCreateDeviceIdentity,
} from "@openclaw/client";
import type { StateFiles } from "@openclaw/config";

export interface LoadDeviceOptions {
  /** `host:port` of the Gateway. */
  endpoint: string;
  /** Only an identity that this Gateway has given a token to: one that need not ask for pairing. */
  onlyIfPaired: boolean;
}

/** This machine's identity and its tokens; made at first use, unless only a paired one will do. */
export async function loadDevice(
  files: StateFiles,
  { endpoint, onlyIfPaired }: LoadDeviceOptions,
): Promise<{ identity: DeviceIdentity; store: DeviceTokenStore } | undefined> {
  if (onlyIfPaired && !existsSync(files.deviceIdentity)) return undefined;
  const identity = await loadOrCreateDeviceIdentity(files.deviceIdentity);
  const store = fileTokenStore(files.deviceTokens);
  if (!onlyIfPaired) return { identity, store };
  const key = { endpoint, role: "operator", deviceId: identity.deviceId };
  const token = await store.get(key).catch(() => undefined);
  return token === undefined ? undefined : { identity, store };
}
