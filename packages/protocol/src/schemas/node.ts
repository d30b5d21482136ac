import * as z from "zod";
import {
  amount,
  anyJson,
  anyText,
  closed,
  count,
  flag,
  flags,
  open,
  text,
  texts,
} from "./primitives.ts";

export const nodeIdParamsSchema = closed({ nodeId: text });

export const nodeIdResultSchema = open({ nodeId: text });

/** Payload of `node.host.stats`, which a node sends once a minute. */
export const hostStatsSchema = open({
  cpuCount: count,
  /** Over 1, 5 and 15 minutes. */
  loadAverage: z.array(amount),
  memoryTotalBytes: count,
  memoryFreeBytes: count,
  diskTotalBytes: count.optional(),
  diskAvailableBytes: count.optional(),
});
export type HostStats = z.infer<typeof hostStatsSchema>;

/** How far the approval of a node's surface has come. */
export const nodeApprovalStateSchema = z.enum([
  "approved",
  "pending-approval",
  "pending-reapproval",
  "unapproved",
]);
export type NodeApprovalState = z.infer<typeof nodeApprovalStateSchema>;

const describedNode = {
  displayName: text.optional(),
  platform: text.optional(),
  version: text.optional(),
  coreVersion: text.optional(),
  uiVersion: text.optional(),
  deviceFamily: text.optional(),
  modelIdentifier: text.optional(),
  remoteIp: text.optional(),
  clientId: text.optional(),
  clientMode: text.optional(),
};

/** A node as `node.list` and `node.describe` show it. One device is one entry, for ever. */
export const nodeEntrySchema = open({
  /** The device id. */
  nodeId: text,
  ...describedNode,
  /** What is approved and declared, sorted; empty until approved. */
  caps: texts.optional(),
  commands: texts.optional(),
  pathEnv: anyText.optional(),
  permissions: flags.optional(),
  /** While connected only. */
  connectedAtMs: count.optional(),
  paired: flag.optional(),
  connected: flag.optional(),
  approvalState: nodeApprovalStateSchema.optional(),
  pendingRequestId: text.optional(),
  pendingDeclaredCaps: texts.optional(),
  pendingDeclaredCommands: texts.optional(),
  pendingDeclaredPermissions: flags.optional(),
  lastConnectedAtMs: count.optional(),
  lastDisconnectedAtMs: count.optional(),
  lastSeenAtMs: count.optional(),
  lastSeenReason: text.optional(),
  approvedAtMs: count.optional(),
  lastActiveAtMs: count.optional(),
  presenceUpdatedAtMs: count.optional(),
  active: flag.optional(),
  gatewayLocal: flag.optional(),
  hostStats: hostStatsSchema.extend({ updatedAtMs: count }).optional(),
  sessionHost: flag.optional(),
  nodePluginTools: z.array(anyJson).optional(),
});
export type NodeEntry = z.infer<typeof nodeEntrySchema>;

export const nodeListResultSchema = open({
  ts: count.optional(),
  nodes: z.array(nodeEntrySchema),
  activeNodeId: text.optional(),
});
export type NodeListResult = z.infer<typeof nodeListResultSchema>;

export const nodeDescribeResultSchema = nodeEntrySchema.extend({ ts: count.optional() });
export type NodeDescribeResult = z.infer<typeof nodeDescribeResultSchema>;

export const nodeRenameParamsSchema = closed({ nodeId: text, displayName: text });

export const nodeRenameResultSchema = open({ nodeId: text, displayName: text });

/** A surface that waits for approval; also the payload of `node.pair.requested`. */
export const pendingNodeSchema = open({
  requestId: text,
  nodeId: text,
  ...describedNode,
  caps: texts.optional(),
  commands: texts.optional(),
  permissions: flags.optional(),
  /** What the approver must hold. */
  requiredApproveScopes: texts.optional(),
  silent: flag.optional(),
  ts: count,
});
export type PendingNode = z.infer<typeof pendingNodeSchema>;

/** A node with an approved role. */
export const pairedNodeSchema = open({
  nodeId: text,
  ...describedNode,
  caps: texts.optional(),
  commands: texts.optional(),
  permissions: flags.optional(),
  createdAtMs: count.optional(),
  approvedAtMs: count.optional(),
  lastSeenAtMs: count.optional(),
  lastSeenReason: text.optional(),
  lastHostStats: hostStatsSchema.optional(),
});
export type PairedNode = z.infer<typeof pairedNodeSchema>;

export const nodePairListResultSchema = open({
  pending: z.array(pendingNodeSchema),
  paired: z.array(pairedNodeSchema),
});
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
  payload: anyJson.optional(),
  payloadJSON: anyText.optional(),
});
export type NodeEventParams = z.infer<typeof nodeEventParamsSchema>;

/** Protocol 3 answers with `ok` alone. */
export const nodeEventResultSchema = open({
  ok: flag,
  event: text.optional(),
  handled: flag.optional(),
  reason: text.optional(),
});
export type NodeEventResult = z.infer<typeof nodeEventResultSchema>;

/** Payload of the `node.hostStats` event. */
export const nodeHostStatsEventSchema = open({
  nodeId: text,
  hostStats: hostStatsSchema.extend({ updatedAtMs: count }),
});
