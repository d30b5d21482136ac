import { z } from "zod";
import { count, epochMs, nothing, open, text } from "./common.ts";

export const presenceEntrySchema = z.looseObject({
  ts: epochMs,
  host: z.string().optional(),
  ip: z.string().optional(),
  version: z.string().optional(),
  platform: z.string().optional(),
  deviceFamily: z.string().optional(),
  modelIdentifier: z.string().optional(),
  mode: z.string().optional(),
  lastInputSeconds: count.optional(),
  reason: z.string().optional(),
  text: z.string().optional(),
  tags: z.array(z.string()).optional(),
  deviceId: z.string().optional(),
  roles: z.array(z.string()).optional(),
  scopes: z.array(z.string()).optional(),
  instanceId: z.string().optional(),
  clientId: z.string().optional(),
  onlineSince: epochMs.optional(),
});

export const healthResultSchema = z.looseObject({ ok: z.boolean() });
export const statusResultSchema = open;

export const systemMethodSchemas = {
  health: { params: z.strictObject({ probe: z.boolean().optional() }), result: healthResultSchema },
  status: {
    params: z.strictObject({ includeChannelSummary: z.boolean().optional() }),
    result: statusResultSchema,
  },
  "system-presence": { params: nothing, result: z.array(presenceEntrySchema) },
  "last-heartbeat": { params: nothing, result: open.nullable() },
  "channels.status": {
    params: z.strictObject({
      probe: z.boolean().optional(),
      timeoutMs: count.optional(),
      channel: text.optional(),
    }),
    result: open,
  },
  "gateway.identity.get": {
    params: nothing,
    result: z.looseObject({ deviceId: text, publicKey: text }),
  },
  "exec.approvals.node.get": { params: z.strictObject({ nodeId: text }), result: open },
  "exec.approvals.node.set": {
    params: z.strictObject({
      nodeId: text,
      file: z.looseObject({}),
      baseHash: text.optional(),
    }),
    result: open,
  },
} as const;

export const systemEventSchemas = {
  tick: z.looseObject({ ts: epochMs }),
  shutdown: z.looseObject({ reason: text, restartExpectedMs: count.nullable().optional() }),
  presence: z.looseObject({ presence: z.array(presenceEntrySchema) }),
  health: healthResultSchema,
} as const;

export type PresenceEntry = z.infer<typeof presenceEntrySchema>;
