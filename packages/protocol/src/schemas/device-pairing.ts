import { z } from "zod";
import { epochMs, nothing, text } from "./common.ts";

/** As published releases check it. */
export const requestIdSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/);

export const devicePairRequestSchema = z.looseObject({
  requestId: text,
  deviceId: text,
  publicKey: text,
  displayName: z.string().optional(),
  platform: z.string().optional(),
  deviceFamily: z.string().optional(),
  clientId: z.string().optional(),
  clientMode: z.string().optional(),
  role: z.string().optional(),
  roles: z.array(z.string()).optional(),
  scopes: z.array(z.string()).optional(),
  remoteIp: z.string().optional(),
  silent: z.boolean().optional(),
  isRepair: z.boolean().optional(),
  ts: epochMs,
});

export const deviceTokenSummarySchema = z.looseObject({
  role: text,
  scopes: z.array(z.string()),
  createdAtMs: epochMs,
  rotatedAtMs: epochMs.optional(),
  revokedAtMs: epochMs.optional(),
  lastUsedAtMs: epochMs.optional(),
});

export const pairedDeviceSchema = z.looseObject({
  deviceId: text,
  publicKey: z.string().optional(),
  displayName: z.string().optional(),
  operatorLabel: z.string().optional(),
  platform: z.string().optional(),
  deviceFamily: z.string().optional(),
  clientId: z.string().optional(),
  clientMode: z.string().optional(),
  role: z.string().optional(),
  roles: z.array(z.string()).optional(),
  scopes: z.array(z.string()).optional(),
  remoteIp: z.string().optional(),
  tokens: z.array(deviceTokenSummarySchema).optional(),
  createdAtMs: epochMs.optional(),
  approvedAtMs: epochMs.optional(),
  approvedVia: z.string().optional(),
  connected: z.boolean().optional(),
  lastSeenAtMs: epochMs.optional(),
  lastSeenReason: z.string().optional(),
});

const byRequest = z.strictObject({ requestId: requestIdSchema });
const byDevice = z.strictObject({ deviceId: text });

export const devicePairingMethodSchemas = {
  "device.pair.list": {
    params: nothing,
    result: z.looseObject({
      pending: z.array(devicePairRequestSchema),
      paired: z.array(pairedDeviceSchema),
    }),
  },
  "device.pair.approve": {
    params: byRequest,
    result: z.looseObject({ requestId: text, device: pairedDeviceSchema }),
  },
  "device.pair.reject": {
    params: byRequest,
    result: z.looseObject({ requestId: text, deviceId: text }),
  },
  "device.pair.remove": { params: byDevice, result: z.looseObject({ deviceId: text }) },
  "device.pair.rename": {
    params: z.strictObject({ deviceId: text, label: z.string().min(1).max(64) }),
    result: z.looseObject({ deviceId: text, label: text }),
  },
  "device.token.rotate": {
    params: z.strictObject({
      deviceId: text,
      role: text,
      scopes: z.array(text).optional(),
    }),
    result: z.looseObject({
      deviceId: text,
      role: text,
      scopes: z.array(z.string()),
      rotatedAtMs: epochMs.optional(),
      token: text.optional(),
      tokenDelivery: z.enum(["in-band", "withheld-cross-device"]).optional(),
    }),
  },
  "device.token.revoke": {
    params: z.strictObject({ deviceId: text, role: text }),
    result: z.looseObject({ deviceId: text, role: text, revokedAtMs: epochMs }),
  },
} as const;

export const devicePairingEventSchemas = {
  "device.pair.requested": devicePairRequestSchema,
  "device.pair.resolved": z.looseObject({
    requestId: text,
    deviceId: text,
    decision: z.enum(["approved", "rejected"]),
    ts: epochMs,
  }),
  "device.pair.changed": nothing,
} as const;

export type DevicePairRequest = z.infer<typeof devicePairRequestSchema>;
export type PairedDevice = z.infer<typeof pairedDeviceSchema>;
