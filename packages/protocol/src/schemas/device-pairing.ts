import * as z from "zod";
import { closed, count, flag, maybe, open, text, texts } from "./primitives.ts";

/** Params that name a pairing request. */
export const requestIdParamsSchema = closed({ requestId: text });

/** A device that waits for a decision; also the payload of `device.pair.requested`. */
export const pendingDeviceSchema = open({
  requestId: text,
  deviceId: text,
  publicKey: maybe.text,
  displayName: maybe.text,
  platform: maybe.text,
  deviceFamily: maybe.text,
  clientId: maybe.text,
  clientMode: maybe.text,
  browserOrigin: maybe.text,
  role: maybe.text,
  roles: maybe.texts,
  scopes: maybe.texts,
  remoteIp: maybe.text,
  silent: maybe.flag,
  /** The device was paired before, with less or with another key. */
  isRepair: maybe.flag,
  ts: count,
});

/** A device that waits for a decision. */
export type PendingDevice = z.infer<typeof pendingDeviceSchema>;

/** What may be known of a device token; never the token. */
export const deviceTokenSummarySchema = open({
  role: text,
  scopes: texts,
  createdAtMs: count,
  rotatedAtMs: maybe.count,
  revokedAtMs: maybe.count,
  lastUsedAtMs: maybe.count,
});

/** Role, scopes and times of a device token; never the token. */
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
  publicKey: maybe.text,
  displayName: maybe.text,
  operatorLabel: maybe.text,
  platform: maybe.text,
  deviceFamily: maybe.text,
  clientId: maybe.text,
  clientMode: maybe.text,
  role: maybe.text,
  roles: maybe.texts,
  scopes: maybe.texts,
  remoteIp: maybe.text,
  tokens: z.array(deviceTokenSummarySchema).optional(),
  createdAtMs: maybe.count,
  approvedAtMs: maybe.count,
  /** `silent`, `owner`, `bootstrap`, `ssh-verified`, `trusted-cidr`, `trusted-proxy`. */
  approvedVia: maybe.text,
  nodeSurface: surfaceSchema.optional(),
  pendingNodeSurface: surfaceSchema.optional(),
  lastSeenAtMs: maybe.count,
  lastSeenReason: maybe.text,
  connected: maybe.flag,
});

/** A device that has been approved. */
export type PairedDevice = z.infer<typeof pairedDeviceSchema>;

export const devicePairListResultSchema = open({
  pending: z.array(pendingDeviceSchema),
  paired: z.array(pairedDeviceSchema),
});

/** The answer of `device.pair.list`: who waits, and who is paired. */
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
  scopes: maybe.texts,
});

/** `token` is there only for the device itself, and for protocol 3 callers. */
export const deviceTokenRotateResultSchema = open({
  deviceId: text,
  role: text,
  token: maybe.text,
  scopes: texts,
  rotatedAtMs: count,
  tokenDelivery: z.enum(["in-band", "withheld-cross-device"]).optional(),
});

/** The answer of `device.token.rotate`; `token` is there for the device itself only. */
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

/** What a setup code lets a device become. */
export const setupProfileSchema = z.enum(["limited", "node", "voice-node"]);

export const devicePairSetupCodeParamsSchema = closed({
  /** Address to write into the code, instead of those that the Gateway knows. */
  publicUrl: maybe.text,
  /** Accepted; what is preferred is decided by who starts the Gateway. */
  preferRemoteUrl: maybe.flag,
  /** Accepted; the picture is drawn by whoever asked. */
  includeQr: maybe.flag,
  /** What the device becomes; absent means everything. */
  bootstrapProfile: setupProfileSchema.optional(),
  /** Accepted; this Gateway has no join links, and answers without one. */
  joinUrl: maybe.flag,
});

/** What the device that uses a code may do: all, what a person needs, or serve as a node alone. */
const accessSchema = z.enum(["full", "limited", "node"]);

export const devicePairSetupCodeResultSchema = open({
  setupId: text,
  expiresAtMs: count,
  /** Holds a secret; see `decodeSetupCode`. */
  setupCode: text,
  joinUrl: maybe.text,
  qrDataUrl: maybe.text,
  gatewayUrl: text,
  gatewayUrls: maybe.texts,
  /** How the Gateway authenticates who has no code: `token`, `password`, `trusted-proxy`, `none`. */
  auth: text,
  urlSource: text,
  access: accessSchema,
  /** Asked for was more, but the address is not encrypted. */
  accessDowngraded: maybe.flag,
});

/** The answer of `device.pair.setupCode`. */
export type DevicePairSetupCodeResult = z.infer<typeof devicePairSetupCodeResultSchema>;

export const setupIdParamsSchema = closed({ setupId: text });

export const setupIdResultSchema = open({ setupId: text });

/** Who used a setup code; also the payload of `device.pair.setup.completed`. */
export const setupCompletedSchema = open({
  setupId: text,
  deviceId: text,
  deviceName: maybe.text,
  access: accessSchema,
  ts: count,
});

/** Who used a setup code, and for what. */
export type SetupCompleted = z.infer<typeof setupCompletedSchema>;

export const devicePairSetupStatusResultSchema = open({
  /** Absent while nobody has used the code. */
  completion: setupCompletedSchema.optional(),
});

export const devicePairSetupListResultSchema = open({
  codes: z.array(
    open({
      setupId: text,
      access: accessSchema,
      createdAtMs: count,
      expiresAtMs: count,
      completion: setupCompletedSchema.optional(),
    }),
  ),
});
