import * as z from "zod";
import { closed, count, flag, open, text, texts } from "./primitives.ts";

/** Params that name a pairing request. */
export const requestIdParamsSchema = closed({ requestId: text });

/** A device that waits for a decision; also the payload of `device.pair.requested`. */
export const pendingDeviceSchema = open({
  requestId: text,
  deviceId: text,
  publicKey: text.optional(),
  displayName: text.optional(),
  platform: text.optional(),
  deviceFamily: text.optional(),
  clientId: text.optional(),
  clientMode: text.optional(),
  browserOrigin: text.optional(),
  role: text.optional(),
  roles: texts.optional(),
  scopes: texts.optional(),
  remoteIp: text.optional(),
  silent: flag.optional(),
  /** The device was paired before, with less or with another key. */
  isRepair: flag.optional(),
  ts: count,
});
export type PendingDevice = z.infer<typeof pendingDeviceSchema>;

/** What may be known of a device token; never the token. */
export const deviceTokenSummarySchema = open({
  role: text,
  scopes: texts,
  createdAtMs: count,
  rotatedAtMs: count.optional(),
  revokedAtMs: count.optional(),
  lastUsedAtMs: count.optional(),
});
export type DeviceTokenSummary = z.infer<typeof deviceTokenSummarySchema>;

/** What a node offers. */
const surfaceSchema = open({
  caps: texts,
  commands: texts,
  permissions: z.record(z.string(), flag).optional(),
});

/** A device that has been approved. */
export const pairedDeviceSchema = open({
  deviceId: text,
  publicKey: text.optional(),
  displayName: text.optional(),
  operatorLabel: text.optional(),
  platform: text.optional(),
  deviceFamily: text.optional(),
  clientId: text.optional(),
  clientMode: text.optional(),
  role: text.optional(),
  roles: texts.optional(),
  scopes: texts.optional(),
  remoteIp: text.optional(),
  tokens: z.array(deviceTokenSummarySchema).optional(),
  createdAtMs: count.optional(),
  approvedAtMs: count.optional(),
  /** `silent`, `owner`, `bootstrap`, `ssh-verified`, `trusted-cidr`, `trusted-proxy`. */
  approvedVia: text.optional(),
  nodeSurface: surfaceSchema.optional(),
  pendingNodeSurface: surfaceSchema.optional(),
  lastSeenAtMs: count.optional(),
  lastSeenReason: text.optional(),
  connected: flag.optional(),
});
export type PairedDevice = z.infer<typeof pairedDeviceSchema>;

export const devicePairListResultSchema = open({
  pending: z.array(pendingDeviceSchema),
  paired: z.array(pairedDeviceSchema),
});
export type DevicePairListResult = z.infer<typeof devicePairListResultSchema>;

export const devicePairApproveResultSchema = open({ requestId: text, device: pairedDeviceSchema });

export const devicePairRejectResultSchema = open({ requestId: text, deviceId: text });

export const deviceIdParamsSchema = closed({ deviceId: text });

export const deviceIdResultSchema = open({ deviceId: text });

export const devicePairRenameParamsSchema = closed({ deviceId: text, label: text.max(64) });

export const devicePairRenameResultSchema = open({ deviceId: text, label: text });

export const deviceTokenRotateParamsSchema = closed({
  deviceId: text,
  role: text,
  scopes: texts.optional(),
});

/** `token` is there only for the device itself, and for protocol 3 callers. */
export const deviceTokenRotateResultSchema = open({
  deviceId: text,
  role: text,
  token: text.optional(),
  scopes: texts,
  rotatedAtMs: count,
  tokenDelivery: z.enum(["in-band", "withheld-cross-device"]).optional(),
});
export type DeviceTokenRotateResult = z.infer<typeof deviceTokenRotateResultSchema>;

export const deviceTokenRevokeParamsSchema = closed({ deviceId: text, role: text });

export const deviceTokenRevokeResultSchema = open({
  deviceId: text,
  role: text,
  revokedAtMs: count,
});

/** Payload of `device.pair.resolved`. */
export const devicePairResolvedEventSchema = open({
  requestId: text,
  deviceId: text,
  /** `approved` or `rejected`. */
  decision: text,
  ts: count,
});
