import * as z from "zod";
import { missingProperty } from "../failure-text.ts";
import { execApprovalsFileSchema, execApprovalsSnapshotSchema } from "./commands.ts";
import { amount, anyJson, anyText, closed, count, flag, maybe, open, text } from "./primitives.ts";

export const healthParamsSchema = closed({ probe: maybe.flag });

/** The answer of `health`, and the payload of the event. A Gateway without an agent sends less. */
export const healthResultSchema = open({
  ok: flag,
  ts: maybe.count,
  durationMs: amount.optional(),
  channels: maybe.anyObject,
  channelOrder: z.array(anyText).optional(),
  channelLabels: z.record(z.string(), anyText).optional(),
  heartbeatSeconds: amount.optional(),
  defaultAgentId: maybe.anyText,
  agents: z.array(anyJson).optional(),
  sessions: maybe.anyJson,
  eventLoop: maybe.anyObject,
});

/** The answer of `health`. */
export type HealthResult = z.infer<typeof healthResultSchema>;

export const statusParamsSchema = closed({ includeChannelSummary: maybe.flag });

/** The answer of `status`. */
export const statusResultSchema = open({
  runtimeVersion: anyText.nullish(),
  heartbeat: maybe.anyJson,
  channelSummary: z.array(anyText).optional(),
  queuedSystemEvents: z.array(anyText).optional(),
  sessions: maybe.anyJson,
  /** Ours, from here on. */
  host: maybe.anyText,
  uptimeMs: amount.optional(),
  connections: maybe.count,
  nodes: open({ known: count, connected: count, pending: count }).optional(),
  devices: open({ paired: count, pending: count }).optional(),
  invocations: open({ running: count, ledger: maybe.anyObject }).optional(),
});

/** The answer of `status`. */
export type StatusResult = z.infer<typeof statusResultSchema>;

export const channelsStatusParamsSchema = closed({
  probe: maybe.flag,
  timeoutMs: maybe.count,
  channel: maybe.text,
});

export const channelsStatusResultSchema = open({
  ts: maybe.count,
  channelOrder: z.array(anyText).optional(),
  channelLabels: z.record(z.string(), anyText).optional(),
  channels: maybe.anyObject,
  channelAccounts: maybe.anyObject,
  channelDefaultAccountId: maybe.anyObject,
});

/** The Gateway's own device. */
export const gatewayIdentityResultSchema = open({ deviceId: text, publicKey: text });

/** A node's exec policy; platforms with a policy of their own take `native` in place of `file`. */
export const execApprovalsNodeSetParamsSchema = closed({
  nodeId: text,
  file: execApprovalsFileSchema.optional(),
  native: maybe.anyObject,
  baseHash: maybe.text,
}).refine(({ file, native }) => file !== undefined || native !== undefined, {
  error: missingProperty("", "file"),
});

/** As the node answers: a file, or what its platform has instead. */
export const execApprovalsNodeResultSchema = open(execApprovalsSnapshotSchema.shape).partial();

/** The answer of `exec.approvals.node.get` and `.set`. */
export type ExecApprovalsNodeResult = z.infer<typeof execApprovalsNodeResultSchema>;

/** Payload of the `tick` event. */
export const tickEventSchema = open({ ts: count });

/** Payload of the `shutdown` event, sent before a planned stop. */
export const shutdownEventSchema = open({ reason: text, restartExpectedMs: count.nullish() });
