import { z } from "zod";
import { count, text } from "./common.ts";

const security = z.enum(["deny", "allowlist", "full"]);
const ask = z.enum(["off", "on-miss", "always"]);

/** Which programs a node runs, and when it asks (wire §7.8). Members of other releases are kept. */
export const execApprovalsFileSchema = z.looseObject({
  version: z.literal(1),
  defaults: z
    .looseObject({
      security: security.optional(),
      ask: ask.optional(),
      askFallback: security.optional(),
    })
    .optional(),
  agents: z.record(z.string(), z.looseObject({})).optional(),
});

export const execApprovalsSnapshotSchema = z.looseObject({
  path: text,
  exists: z.boolean(),
  hash: z.string(),
  file: execApprovalsFileSchema,
});

/** Params and results of the commands that every host node has (wire §7.8). */
export const commandSchemas = {
  "system.run": {
    params: z.strictObject({
      command: z.array(z.string()).min(1),
      rawCommand: z.string().nullable().optional(),
      cwd: z.string().nullable().optional(),
      env: z.record(z.string(), z.string()).nullable().optional(),
      timeoutMs: count.nullable().optional(),
      needsScreenRecording: z.boolean().nullable().optional(),
      agentId: z.string().nullable().optional(),
      sessionKey: z.string().nullable().optional(),
      approved: z.boolean().nullable().optional(),
      approvalDecision: z.string().nullable().optional(),
      runId: z.string().nullable().optional(),
      systemRunPlan: z.unknown().optional(),
      suppressNotifyOnExit: z.boolean().nullable().optional(),
    }),
    result: z.looseObject({
      exitCode: z.int().nullable(),
      timedOut: z.boolean(),
      success: z.boolean(),
      stdout: z.string(),
      stderr: z.string(),
      error: z.string().nullable(),
    }),
  },
  "system.run.prepare": {
    params: z.strictObject({
      command: z.array(z.string()).min(1),
      rawCommand: z.string().nullable().optional(),
      cwd: z.string().nullable().optional(),
      agentId: z.string().nullable().optional(),
      sessionKey: z.string().nullable().optional(),
    }),
    result: z.looseObject({ plan: z.looseObject({}) }),
  },
  "system.which": {
    params: z.strictObject({ bins: z.array(text) }),
    result: z.looseObject({ bins: z.record(z.string(), z.string()) }),
  },
  "system.notify": {
    params: z.strictObject({
      title: z.string().optional(),
      body: z.string().optional(),
      sound: z.string().optional(),
      priority: z.enum(["passive", "active", "timeSensitive"]).optional(),
      delivery: z.enum(["system", "overlay", "auto"]).optional(),
    }),
    result: z.unknown(),
  },
  "system.execApprovals.get": { params: z.strictObject({}), result: execApprovalsSnapshotSchema },
  "system.execApprovals.set": {
    params: z.strictObject({ file: execApprovalsFileSchema, baseHash: z.string().optional() }),
    result: execApprovalsSnapshotSchema,
  },
} as const;

export type ExecApprovalsFile = z.infer<typeof execApprovalsFileSchema>;
export type ExecApprovalsSnapshot = z.infer<typeof execApprovalsSnapshotSchema>;
export type SystemRunParams = z.infer<(typeof commandSchemas)["system.run"]["params"]>;
export type SystemRunResult = z.infer<(typeof commandSchemas)["system.run"]["result"]>;
