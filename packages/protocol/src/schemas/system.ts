import * as z from "zod";
import { execApprovalsFileSchema, execApprovalsSnapshotSchema } from "./commands.ts";
import {
  amount,
  anyJson,
  anyObject,
  anyText,
  closed,
  count,
  flag,
  open,
  text,
} from "./primitives.ts";

export const healthParamsSchema = closed({ probe: flag.optional() });

/** The answer of `health`, and the payload of the event. A Gateway without an agent sends less. */
export const healthResultSchema = open({
  ok: flag,
  ts: count.optional(),
  durationMs: amount.optional(),
  channels: anyObject.optional(),
  channelOrder: z.array(anyText).optional(),
  channelLabels: z.record(z.string(), anyText).optional(),
  heartbeatSeconds: amount.optional(),
  defaultAgentId: anyText.optional(),
  agents: z.array(anyJson).optional(),
  sessions: anyJson.optional(),
  eventLoop: anyObject.optional(),
});
export type HealthResult = z.infer<typeof healthResultSchema>;

export const statusParamsSchema = closed({ includeChannelSummary: flag.optional() });

/** The answer of `status`. */
export const statusResultSchema = open({
  runtimeVersion: anyText.nullish(),
  heartbeat: anyJson.optional(),
  channelSummary: z.array(anyText).optional(),
  queuedSystemEvents: z.array(anyText).optional(),
  sessions: anyJson.optional(),
  /** Ours, from here on. */
  host: anyText.optional(),
  uptimeMs: amount.optional(),
  connections: count.optional(),
  nodes: open({ known: count, connected: count, pending: count }).optional(),
  devices: open({ paired: count, pending: count }).optional(),
  invocations: open({ running: count, ledger: anyObject.optional() }).optional(),
});
export type StatusResult = z.infer<typeof statusResultSchema>;

export const channelsStatusParamsSchema = closed({
  probe: flag.optional(),
  timeoutMs: count.optional(),
  channel: text.optional(),
});

export const channelsStatusResultSchema = open({
  ts: count.optional(),
  channelOrder: z.array(anyText).optional(),
  channelLabels: z.record(z.string(), anyText).optional(),
  channels: anyObject.optional(),
  channelAccounts: anyObject.optional(),
  channelDefaultAccountId: anyObject.optional(),
});

/** The Gateway's own device. */
export const gatewayIdentityResultSchema = open({ deviceId: text, publicKey: text });

/** A node's exec policy; platforms with a policy of their own take `native` in place of `file`. */
export const execApprovalsNodeSetParamsSchema = closed({
  nodeId: text,
  file: execApprovalsFileSchema.optional(),
  native: anyObject.optional(),
  baseHash: text.optional(),
});

/** As the node answers: a file, or what its platform has instead. */
export const execApprovalsNodeResultSchema = open(execApprovalsSnapshotSchema.shape).partial();
export type ExecApprovalsNodeResult = z.infer<typeof execApprovalsNodeResultSchema>;

/** Payload of the `tick` event. */
export const tickEventSchema = open({ ts: count });

/** Payload of the `shutdown` event, sent before a planned stop. */
export const shutdownEventSchema = open({ reason: text, restartExpectedMs: count.nullish() });
