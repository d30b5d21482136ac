import * as z from "zod";
import { amount, anyJson, anyText, closed, count, flag, maybe, open, text } from "./primitives.ts";

export const nodeIdParamsSchema = closed({ nodeId: text });

export const nodeIdResultSchema = open({ nodeId: text });

/** Payload of `node.host.stats`, which a node sends once a minute. */
export const hostStatsSchema = open({
  cpuCount: count,
  /** Over 1, 5 and 15 minutes. */
  loadAverage: z.array(amount),
  memoryTotalBytes: count,
  memoryFreeBytes: count,
  diskTotalBytes: maybe.count,
  diskAvailableBytes: maybe.count,
});

/** A host's processors, load, memory and disk, sizes in bytes. */
export type HostStats = z.infer<typeof hostStatsSchema>;

/** How far the approval of a node's surface has come. */
export const nodeApprovalStateSchema = z.enum([
  "approved",
  "pending-approval",
  "pending-reapproval",
  "unapproved",
]);

/** How far the approval of a node's surface has come. */
export type NodeApprovalState = z.infer<typeof nodeApprovalStateSchema>;

const describedNode = {
  displayName: maybe.text,
  platform: maybe.text,
  version: maybe.text,
  coreVersion: maybe.text,
  uiVersion: maybe.text,
  deviceFamily: maybe.text,
  modelIdentifier: maybe.text,
  remoteIp: maybe.text,
  clientId: maybe.text,
  clientMode: maybe.text,
};

/** A node as `node.list` and `node.describe` show it. One device is one entry, for ever. */
export const nodeEntrySchema = open({
  /** The device id. */
  nodeId: text,
  ...describedNode,
  /** What is approved and declared, sorted; empty until approved. */
  caps: maybe.texts,
  commands: maybe.texts,
  pathEnv: maybe.anyText,
  permissions: maybe.flags,
  /** While connected only. */
  connectedAtMs: maybe.count,
  paired: maybe.flag,
  connected: maybe.flag,
  approvalState: nodeApprovalStateSchema.optional(),
  pendingRequestId: maybe.text,
  pendingDeclaredCaps: maybe.texts,
  pendingDeclaredCommands: maybe.texts,
  pendingDeclaredPermissions: maybe.flags,
  lastConnectedAtMs: maybe.count,
  lastDisconnectedAtMs: maybe.count,
  lastSeenAtMs: maybe.count,
  lastSeenReason: maybe.text,
  approvedAtMs: maybe.count,
  lastActiveAtMs: maybe.count,
  presenceUpdatedAtMs: maybe.count,
  active: maybe.flag,
  gatewayLocal: maybe.flag,
  hostStats: hostStatsSchema.extend({ updatedAtMs: count }).optional(),
  sessionHost: maybe.flag,
  nodePluginTools: z.array(anyJson).optional(),
});

/** A node as `node.list` and `node.describe` show it. */
export type NodeEntry = z.infer<typeof nodeEntrySchema>;

export const nodeListResultSchema = open({
  ts: maybe.count,
  nodes: z.array(nodeEntrySchema),
  activeNodeId: maybe.text,
});

/** The answer of `node.list`. */
export type NodeListResult = z.infer<typeof nodeListResultSchema>;

export const nodeDescribeResultSchema = nodeEntrySchema.extend({ ts: maybe.count });

/** The answer of `node.describe`: one entry and the time it was made. */
export type NodeDescribeResult = z.infer<typeof nodeDescribeResultSchema>;

export const nodeRenameParamsSchema = closed({ nodeId: text, displayName: text });

export const nodeRenameResultSchema = open({ nodeId: text, displayName: text });

/** A surface that waits for approval; also the payload of `node.pair.requested`. */
export const pendingNodeSchema = open({
  requestId: text,
  nodeId: text,
  ...describedNode,
  caps: maybe.texts,
  commands: maybe.texts,
  permissions: maybe.flags,
  /** What the approver must hold. */
  requiredApproveScopes: maybe.texts,
  silent: maybe.flag,
  ts: count,
});

/** A surface that waits for approval, and what its approver must hold. */
export type PendingNode = z.infer<typeof pendingNodeSchema>;

/** A node with an approved role. */
export const pairedNodeSchema = open({
  nodeId: text,
  ...describedNode,
  caps: maybe.texts,
  commands: maybe.texts,
  permissions: maybe.flags,
  createdAtMs: maybe.count,
  approvedAtMs: maybe.count,
  lastSeenAtMs: maybe.count,
  lastSeenReason: maybe.text,
  lastHostStats: hostStatsSchema.optional(),
});

/** A node with an approved role, as `node.pair.list` shows it. */
export type PairedNode = z.infer<typeof pairedNodeSchema>;

export const nodePairListResultSchema = open({
  pending: z.array(pendingNodeSchema),
  paired: z.array(pairedNodeSchema),
});

/** The answer of `node.pair.list`: surfaces that wait, and nodes that are paired. */
export type NodePairListResult = z.infer<typeof nodePairListResultSchema>;

export const nodePairApproveResultSchema = open({ requestId: text, node: pairedNodeSchema });

export const nodePairRejectResultSchema = open({ requestId: text, nodeId: text });

/** Payload of `node.pair.resolved`. */
export const nodePairResolvedEventSchema = open({
  /** Empty where no request was open. */
  requestId: anyText,
  nodeId: text,
  decision: z.enum(["approved", "rejected", "removed"]),
  ts: count,
});

/** Params of `node.event`: something that happened at a node. */
export const nodeEventParamsSchema = closed({
  event: text,
  payload: maybe.anyJson,
  payloadJSON: maybe.anyText,
});

/** Params of `node.event`, the payload as a value or as JSON text. */
export type NodeEventParams = z.infer<typeof nodeEventParamsSchema>;

/** Protocol 3 answers with `ok` alone. */
export const nodeEventResultSchema = open({
  ok: flag,
  event: maybe.text,
  handled: maybe.flag,
  reason: maybe.text,
});

/** The answer of `node.event`: whether anybody took the event. */
export type NodeEventResult = z.infer<typeof nodeEventResultSchema>;

/** Payload of the `node.hostStats` event. */
export const nodeHostStatsEventSchema = open({
  nodeId: text,
  hostStats: hostStatsSchema.extend({ updatedAtMs: count }),
});
