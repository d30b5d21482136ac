import * as z from "zod";
import {
  configApplyParamsSchema,
  configChangedEventSchema,
  configChangeResultSchema,
  configConfirmParamsSchema,
  configConfirmResultSchema,
  configGetResultSchema,
  configPatchParamsSchema,
  configSchemaLookupParamsSchema,
  configSchemaLookupResultSchema,
  configSchemaResultSchema,
  configSetParamsSchema,
  configSetResultSchema,
} from "./config.ts";
import {
  connectChallengeSchema,
  connectParamsSchema,
  helloOkSchema,
  pairingWaitEventSchema,
} from "./connect.ts";
import {
  deviceIdParamsSchema,
  deviceIdResultSchema,
  devicePairApproveResultSchema,
  devicePairListResultSchema,
  devicePairRejectResultSchema,
  devicePairRenameParamsSchema,
  devicePairRenameResultSchema,
  devicePairResolvedEventSchema,
  devicePairSetupCodeParamsSchema,
  devicePairSetupCodeResultSchema,
  devicePairSetupListResultSchema,
  devicePairSetupStatusResultSchema,
  deviceTokenRevokeParamsSchema,
  deviceTokenRevokeResultSchema,
  deviceTokenRotateParamsSchema,
  deviceTokenRotateResultSchema,
  pendingDeviceSchema,
  requestIdParamsSchema,
  setupCompletedSchema,
  setupIdParamsSchema,
  setupIdResultSchema,
} from "./device-pairing.ts";
import {
  idempotencyKeyParamsSchema,
  nodeInvokeAcknowledgedSchema,
  nodeInvokeCancelEventSchema,
  nodeInvokeCancelResultSchema,
  nodeInvokeInputEventSchema,
  nodeInvokeInputParamsSchema,
  nodeInvokeParamsSchema,
  nodeInvokeProgressEventSchema,
  nodeInvokeProgressParamsSchema,
  nodeInvokeRequestEventSchema,
  nodeInvokeResultParamsSchema,
  nodeInvokeResultSchema,
  nodeInvokeStatusResultSchema,
  nodeInvokeSyncParamsSchema,
  nodeInvokeSyncResultSchema,
} from "./invoke.ts";
import { logsTailParamsSchema, logsTailResultSchema } from "./logs.ts";
import {
  nodeDescribeResultSchema,
  nodeEventParamsSchema,
  nodeEventResultSchema,
  nodeHostStatsEventSchema,
  nodeIdParamsSchema,
  nodeIdResultSchema,
  nodeListResultSchema,
  nodePairApproveResultSchema,
  nodePairListResultSchema,
  nodePairRejectResultSchema,
  nodePairResolvedEventSchema,
  nodeRenameParamsSchema,
  nodeRenameResultSchema,
  pendingNodeSchema,
} from "./node.ts";
import {
  nodePendingAckParamsSchema,
  nodePendingAckResultSchema,
  nodePendingDrainParamsSchema,
  nodePendingDrainResultSchema,
  nodePendingEnqueueParamsSchema,
  nodePendingEnqueueResultSchema,
  nodePendingPullResultSchema,
  nodePluginSurfaceRefreshParamsSchema,
  nodePluginSurfaceRefreshResultSchema,
  nodePluginToolsUpdateParamsSchema,
  nodeSkillsUpdateParamsSchema,
} from "./node-queue.ts";
import { presenceEntrySchema, presenceEventSchema } from "./presence.ts";
import { acknowledged, anyJson, anyObject, noParams, open } from "./primitives.ts";
import {
  channelsStatusParamsSchema,
  channelsStatusResultSchema,
  execApprovalsNodeResultSchema,
  execApprovalsNodeSetParamsSchema,
  gatewayIdentityResultSchema,
  healthParamsSchema,
  healthResultSchema,
  shutdownEventSchema,
  statusParamsSchema,
  statusResultSchema,
  tickEventSchema,
} from "./system.ts";

/** The methods this package knows, each with the schemas of its params and its result. */
export const methodSchemas = {
  connect: { params: connectParamsSchema, result: helloOkSchema },

  health: { params: healthParamsSchema, result: healthResultSchema },
  status: { params: statusParamsSchema, result: statusResultSchema },
  "system-presence": { params: noParams, result: z.array(presenceEntrySchema) },
  "last-heartbeat": { params: noParams, result: anyJson },
  "channels.status": { params: channelsStatusParamsSchema, result: channelsStatusResultSchema },
  "logs.tail": { params: logsTailParamsSchema, result: logsTailResultSchema },
  "gateway.identity.get": { params: noParams, result: gatewayIdentityResultSchema },

  "device.pair.list": { params: noParams, result: devicePairListResultSchema },
  "device.pair.approve": { params: requestIdParamsSchema, result: devicePairApproveResultSchema },
  "device.pair.reject": { params: requestIdParamsSchema, result: devicePairRejectResultSchema },
  "device.pair.remove": { params: deviceIdParamsSchema, result: deviceIdResultSchema },
  "device.pair.rename": {
    params: devicePairRenameParamsSchema,
    result: devicePairRenameResultSchema,
  },
  "device.pair.setupCode": {
    params: devicePairSetupCodeParamsSchema,
    result: devicePairSetupCodeResultSchema,
  },
  "device.pair.setupStatus": {
    params: setupIdParamsSchema,
    result: devicePairSetupStatusResultSchema,
  },
  "device.pair.setupCancel": { params: setupIdParamsSchema, result: setupIdResultSchema },
  "device.pair.setupList": { params: noParams, result: devicePairSetupListResultSchema },
  "device.token.rotate": {
    params: deviceTokenRotateParamsSchema,
    result: deviceTokenRotateResultSchema,
  },
  "device.token.revoke": {
    params: deviceTokenRevokeParamsSchema,
    result: deviceTokenRevokeResultSchema,
  },

  "node.list": { params: noParams, result: nodeListResultSchema },
  "node.describe": { params: nodeIdParamsSchema, result: nodeDescribeResultSchema },
  "node.rename": { params: nodeRenameParamsSchema, result: nodeRenameResultSchema },
  "node.pair.list": { params: noParams, result: nodePairListResultSchema },
  "node.pair.approve": { params: requestIdParamsSchema, result: nodePairApproveResultSchema },
  "node.pair.reject": { params: requestIdParamsSchema, result: nodePairRejectResultSchema },
  "node.pair.remove": { params: nodeIdParamsSchema, result: nodeIdResultSchema },

  "node.invoke": { params: nodeInvokeParamsSchema, result: nodeInvokeResultSchema },
  "node.invoke.status": {
    params: idempotencyKeyParamsSchema,
    result: nodeInvokeStatusResultSchema,
  },
  "node.invoke.cancel": {
    params: idempotencyKeyParamsSchema,
    result: nodeInvokeCancelResultSchema,
  },
  "node.invoke.input": { params: nodeInvokeInputParamsSchema, result: acknowledged },
  "node.invoke.result": {
    params: nodeInvokeResultParamsSchema,
    result: nodeInvokeAcknowledgedSchema,
  },
  "node.invoke.progress": {
    params: nodeInvokeProgressParamsSchema,
    result: nodeInvokeAcknowledgedSchema,
  },
  "node.invoke.sync": { params: nodeInvokeSyncParamsSchema, result: nodeInvokeSyncResultSchema },
  "node.event": { params: nodeEventParamsSchema, result: nodeEventResultSchema },
  "node.pending.enqueue": {
    params: nodePendingEnqueueParamsSchema,
    result: nodePendingEnqueueResultSchema,
  },
  "node.pending.drain": {
    params: nodePendingDrainParamsSchema,
    result: nodePendingDrainResultSchema,
  },
  "node.pending.pull": { params: noParams, result: nodePendingPullResultSchema },
  "node.pending.ack": { params: nodePendingAckParamsSchema, result: nodePendingAckResultSchema },

  "node.pluginSurface.refresh": {
    params: nodePluginSurfaceRefreshParamsSchema,
    result: nodePluginSurfaceRefreshResultSchema,
  },
  "node.pluginTools.update": {
    params: nodePluginToolsUpdateParamsSchema,
    result: nodeIdResultSchema,
  },
  "node.skills.update": { params: nodeSkillsUpdateParamsSchema, result: nodeIdResultSchema },
  /** What a node can host beside commands; each release says it in members of its own. */
  "node.runnerInventory.update": { params: anyObject, result: nodeIdResultSchema },

  "config.get": { params: noParams, result: configGetResultSchema },
  "config.set": { params: configSetParamsSchema, result: configSetResultSchema },
  "config.patch": { params: configPatchParamsSchema, result: configChangeResultSchema },
  "config.apply": { params: configApplyParamsSchema, result: configChangeResultSchema },
  "config.confirm": { params: configConfirmParamsSchema, result: configConfirmResultSchema },
  "config.schema": { params: noParams, result: configSchemaResultSchema },
  "config.schema.lookup": {
    params: configSchemaLookupParamsSchema,
    result: configSchemaLookupResultSchema,
  },

  "exec.approvals.node.get": { params: nodeIdParamsSchema, result: execApprovalsNodeResultSchema },
  "exec.approvals.node.set": {
    params: execApprovalsNodeSetParamsSchema,
    result: execApprovalsNodeResultSchema,
  },
} as const;

/** The events this package knows, each with the schema of its payload. */
export const eventSchemas = {
  "connect.challenge": connectChallengeSchema,
  tick: tickEventSchema,
  presence: presenceEventSchema,
  health: healthResultSchema,
  shutdown: shutdownEventSchema,
  "config.changed": configChangedEventSchema,
  "device.pair.requested": pendingDeviceSchema,
  "device.pair.resolved": devicePairResolvedEventSchema,
  "device.pair.changed": open({}),
  "device.pair.setup.completed": setupCompletedSchema,
  "device.pair.waiting": pairingWaitEventSchema,
  "node.pair.requested": pendingNodeSchema,
  "node.pair.resolved": nodePairResolvedEventSchema,
  "node.hostStats": nodeHostStatsEventSchema,
  "node.invoke.request": nodeInvokeRequestEventSchema,
  "node.invoke.cancel": nodeInvokeCancelEventSchema,
  "node.invoke.input": nodeInvokeInputEventSchema,
  "node.invoke.progress": nodeInvokeProgressEventSchema,
} as const;

/** A method of {@link methodSchemas}. */
export type MethodName = keyof typeof methodSchemas;

/** What a caller writes as params of a method. */
export type MethodParams<M extends MethodName> = z.input<(typeof methodSchemas)[M]["params"]>;

/** What a method answers. */
export type MethodResult<M extends MethodName> = z.output<(typeof methodSchemas)[M]["result"]>;

/** An event of {@link eventSchemas}. */
export type EventName = keyof typeof eventSchemas;

/** What an event carries. */
export type EventPayload<E extends EventName> = z.output<(typeof eventSchemas)[E]>;
