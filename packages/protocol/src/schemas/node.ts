import { z } from "zod";
import { MAX_PROGRESS_CHUNK_CHARS } from "../limits.ts";
import { count, epochMs, nothing, open, text } from "./common.ts";
import { requestIdSchema } from "./device-pairing.ts";
import { errorShapeSchema } from "./frames.ts";

/** A machine's load, as a node reports it every minute. */
export const hostStatsSchema = z.looseObject({
  cpuCount: count,
  loadAverage: z.array(z.number()),
  memoryTotalBytes: count,
  memoryFreeBytes: count,
  diskTotalBytes: count.optional(),
  diskAvailableBytes: count.optional(),
});

const permissions = z.record(z.string(), z.boolean());

/** One node in `node.list` and `node.describe` (wire §7.1). */
export const nodeEntrySchema = z.looseObject({
  nodeId: text,
  displayName: z.string().optional(),
  platform: z.string().optional(),
  version: z.string().optional(),
  coreVersion: z.string().optional(),
  uiVersion: z.string().optional(),
  deviceFamily: z.string().optional(),
  modelIdentifier: z.string().optional(),
  remoteIp: z.string().optional(),
  clientId: z.string().optional(),
  clientMode: z.string().optional(),
  caps: z.array(z.string()).optional(),
  commands: z.array(z.string()).optional(),
  pathEnv: z.string().optional(),
  permissions: permissions.optional(),
  connectedAtMs: epochMs.optional(),
  paired: z.boolean().optional(),
  connected: z.boolean().optional(),
  approvalState: z
    .enum(["approved", "pending-approval", "pending-reapproval", "unapproved"])
    .optional(),
  pendingRequestId: z.string().optional(),
  pendingDeclaredCaps: z.array(z.string()).optional(),
  pendingDeclaredCommands: z.array(z.string()).optional(),
  pendingDeclaredPermissions: permissions.optional(),
  lastConnectedAtMs: epochMs.optional(),
  lastDisconnectedAtMs: epochMs.optional(),
  lastSeenAtMs: epochMs.optional(),
  lastSeenReason: z.string().optional(),
  approvedAtMs: epochMs.optional(),
  hostStats: z.looseObject({ ...hostStatsSchema.shape, updatedAtMs: epochMs }).optional(),
  sessionHost: z.boolean().optional(),
  nodePluginTools: z.array(z.unknown()).optional(),
});

/** A node's surface that waits for approval (wire §7.3). */
export const nodePairPendingSchema = z.looseObject({
  requestId: text,
  nodeId: text,
  clientId: z.string().optional(),
  clientMode: z.string().optional(),
  displayName: z.string().optional(),
  platform: z.string().optional(),
  version: z.string().optional(),
  caps: z.array(z.string()).optional(),
  commands: z.array(z.string()).optional(),
  permissions: permissions.optional(),
  requiredApproveScopes: z.array(z.string()).optional(),
  silent: z.boolean().optional(),
  ts: epochMs,
});

export const nodePairPairedSchema = z.looseObject({
  nodeId: text,
  displayName: z.string().optional(),
  platform: z.string().optional(),
  version: z.string().optional(),
  caps: z.array(z.string()).optional(),
  commands: z.array(z.string()).optional(),
  permissions: permissions.optional(),
  createdAtMs: epochMs.optional(),
  approvedAtMs: epochMs.optional(),
});

const nodeFailureSchema = z.strictObject({
  code: z.string().optional(),
  message: z.string().optional(),
});

const byRequest = z.strictObject({ requestId: requestIdSchema });
const byNode = z.strictObject({ nodeId: text });
const byKey = z.strictObject({ idempotencyKey: text });
const taken = z.looseObject({ ok: z.boolean(), ignored: z.boolean().optional() });

export const invokeStageSchema = z.enum([
  "not-sent",
  "queued",
  "running",
  "finished",
  "interrupted",
]);

export const nodeInvokeParamsSchema = z.strictObject({
  nodeId: text,
  command: z.string(),
  params: z.unknown().optional(),
  timeoutMs: count.optional(),
  idempotencyKey: text,
  sessionKey: z.string().optional(),
  turnSourceChannel: z.string().optional(),
  turnSourceTo: z.string().optional(),
  turnSourceAccountId: z.string().optional(),
  turnSourceThreadId: z.union([z.string(), z.number()]).optional(),
});

export const nodeInvokeAnswerSchema = z.looseObject({
  ok: z.boolean(),
  nodeId: text,
  command: z.string(),
  payload: z.unknown().optional(),
  payloadJSON: z.string().nullable().optional(),
});

export const nodeInvokeRequestSchema = z.looseObject({
  id: text,
  nodeId: text,
  command: text,
  paramsJSON: z.string().nullable().optional(),
  timeoutMs: count.optional(),
  idempotencyKey: text.optional(),
  sessionKey: z.string().optional(),
});

export const nodeInvokeResultParamsSchema = z.strictObject({
  id: text,
  nodeId: text,
  ok: z.boolean(),
  payload: z.unknown().optional(),
  payloadJSON: z.string().nullable().optional(),
  error: nodeFailureSchema.nullable().optional(),
});

export const nodeInvokeStatusSchema = z.looseObject({
  idempotencyKey: text,
  stage: invokeStageSchema,
  recorded: z.boolean(),
  nodeId: text.optional(),
  command: z.string().optional(),
  invokeId: text.optional(),
  createdAtMs: epochMs.optional(),
  updatedAtMs: epochMs.optional(),
  nodeConnected: z.boolean().optional(),
  ok: z.boolean().optional(),
  payload: z.unknown().optional(),
  payloadJSON: z.string().nullable().optional(),
  error: errorShapeSchema.optional(),
});

export const nodeMethodSchemas = {
  "node.list": {
    params: nothing,
    result: z.looseObject({ ts: epochMs.optional(), nodes: z.array(nodeEntrySchema) }),
  },
  "node.describe": { params: byNode, result: nodeEntrySchema },
  "node.rename": {
    params: z.strictObject({ nodeId: text, displayName: text }),
    result: z.looseObject({ nodeId: text, displayName: text }),
  },
  "node.pair.list": {
    params: nothing,
    result: z.looseObject({
      pending: z.array(nodePairPendingSchema),
      paired: z.array(nodePairPairedSchema),
    }),
  },
  "node.pair.approve": {
    params: byRequest,
    result: z.looseObject({ requestId: text, node: nodePairPairedSchema }),
  },
  "node.pair.reject": {
    params: byRequest,
    result: z.looseObject({ requestId: text, nodeId: text }),
  },
  "node.pair.remove": { params: byNode, result: z.looseObject({ nodeId: text }) },
  "node.invoke": { params: nodeInvokeParamsSchema, result: nodeInvokeAnswerSchema },
  "node.invoke.result": { params: nodeInvokeResultParamsSchema, result: taken },
  "node.invoke.progress": {
    params: z.strictObject({
      invokeId: text,
      nodeId: text,
      seq: count,
      chunk: z.string().max(MAX_PROGRESS_CHUNK_CHARS),
    }),
    result: taken,
  },
  "node.invoke.status": { params: byKey, result: nodeInvokeStatusSchema },
  "node.invoke.cancel": {
    params: byKey,
    result: z.looseObject({ ok: z.boolean(), cancelled: z.boolean(), stage: invokeStageSchema }),
  },
  "node.invoke.input": {
    params: z.strictObject({
      idempotencyKey: text,
      payloadJSON: z.string().max(MAX_PROGRESS_CHUNK_CHARS),
    }),
    result: z.looseObject({ ok: z.boolean() }),
  },
  "node.invoke.sync": {
    params: nothing,
    result: z.looseObject({
      open: z.array(z.looseObject({ id: text, idempotencyKey: text })),
    }),
  },
  "node.event": {
    params: z.strictObject({
      event: text,
      payload: z.unknown().optional(),
      payloadJSON: z.string().optional(),
    }),
    result: z.looseObject({
      ok: z.boolean(),
      event: z.string().optional(),
      handled: z.boolean().optional(),
      reason: z.string().optional(),
    }),
  },
  "node.pending.enqueue": {
    params: z.strictObject({
      nodeId: text,
      type: z.enum(["status.request", "location.request"]),
      priority: z.enum(["normal", "high"]).optional(),
      expiresInMs: z.int().min(1_000).max(86_400_000).optional(),
      wake: z.boolean().optional(),
    }),
    result: open,
  },
  "node.pending.drain": {
    params: z.strictObject({ maxItems: z.int().min(1).max(10).optional() }),
    result: open,
  },
  "node.pending.pull": { params: nothing, result: open },
  "node.pending.ack": { params: z.strictObject({ ids: z.array(text) }), result: open },
  "node.pluginSurface.refresh": {
    params: z.strictObject({ surface: text, observedUrl: text.optional() }),
    result: open,
  },
  "node.pluginTools.update": {
    params: z.strictObject({ tools: z.array(z.looseObject({})) }),
    result: open,
  },
  "node.skills.update": {
    params: z.strictObject({ skills: z.array(z.looseObject({})).max(64) }),
    result: open,
  },
  "node.runnerInventory.update": { params: z.looseObject({}), result: open },
} as const;

export const nodeEventSchemas = {
  "node.pair.requested": nodePairPendingSchema,
  "node.pair.resolved": z.looseObject({
    requestId: z.string(),
    nodeId: text,
    decision: z.enum(["approved", "rejected", "removed"]),
    ts: epochMs,
  }),
  "node.invoke.request": nodeInvokeRequestSchema,
  "node.invoke.cancel": z.looseObject({ invokeId: text, nodeId: text }),
  "node.invoke.input": z.looseObject({
    id: text,
    nodeId: text,
    seq: count,
    payloadJSON: z.string(),
  }),
  "node.invoke.progress": z.looseObject({
    idempotencyKey: text,
    invokeId: text,
    nodeId: text,
    seq: count,
    chunk: z.string(),
  }),
  "node.hostStats": z.looseObject({ nodeId: text, hostStats: hostStatsSchema }),
} as const;

export type HostStats = z.infer<typeof hostStatsSchema>;
export type NodeEntry = z.infer<typeof nodeEntrySchema>;
export type NodePairPending = z.infer<typeof nodePairPendingSchema>;
export type NodePairPaired = z.infer<typeof nodePairPairedSchema>;
export type InvokeStage = z.infer<typeof invokeStageSchema>;
export type NodeInvokeParams = z.infer<typeof nodeInvokeParamsSchema>;
export type NodeInvokeAnswer = z.infer<typeof nodeInvokeAnswerSchema>;
export type NodeInvokeRequest = z.infer<typeof nodeInvokeRequestSchema>;
export type NodeInvokeResult = z.infer<typeof nodeInvokeResultParamsSchema>;
export type NodeInvokeStatus = z.infer<typeof nodeInvokeStatusSchema>;
