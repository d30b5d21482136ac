import * as z from "zod";
import { anyJson, anyText, closed, count, flag, integer, open, text, texts } from "./primitives.ts";

const runTarget = {
  /** argv; the first is the program. */
  command: texts.min(1),
  /** The command line as the caller typed it, for display. */
  rawCommand: anyText.nullish(),
  cwd: anyText.nullish(),
  agentId: anyText.nullish(),
  sessionKey: anyText.nullish(),
};

/** Params of the node command `system.run`. */
export const systemRunParamsSchema = closed({
  ...runTarget,
  env: z.record(z.string(), z.string()).nullish(),
  timeoutMs: count.nullish(),
  needsScreenRecording: flag.nullish(),
  approved: flag.nullish(),
  approvalDecision: z.enum(["allow-once", "allow-always"]).nullish(),
  /** Set by the Gateway where the caller names none. */
  runId: anyText.nullish(),
  suppressNotifyOnExit: flag.nullish(),
  systemRunPlan: anyJson.optional(),
});
export type SystemRunParams = z.infer<typeof systemRunParamsSchema>;

/** Payload of `system.run`. A program that fails is still an answer. */
export const systemRunResultSchema = open({
  /** Null where a signal ended it; 124 where the deadline did. */
  exitCode: integer.nullable(),
  timedOut: flag,
  success: flag,
  stdout: anyText,
  stderr: anyText,
  error: anyText.nullish(),
});
export type SystemRunResult = z.infer<typeof systemRunResultSchema>;

/** Params of the node command `system.run.prepare`. */
export const systemRunPrepareParamsSchema = closed(runTarget);
export type SystemRunPrepareParams = z.infer<typeof systemRunPrepareParamsSchema>;

/** Payload of `system.run.prepare`: what would run, and by which policy. */
export const systemRunPrepareResultSchema = open({
  plan: open({
    argv: texts,
    cwd: anyText.nullish(),
    commandText: anyText,
    commandPreview: anyText.nullish(),
    agentId: anyText.nullish(),
    sessionKey: anyText.nullish(),
    mutableFileOperand: anyJson.optional(),
    policySnapshot: anyJson.optional(),
  }),
  execPolicy: open({ security: text, ask: text }).optional(),
  allowAlwaysCoverage: anyJson.optional(),
});
export type SystemRunPrepareResult = z.infer<typeof systemRunPrepareResultSchema>;

/** Params of the node command `system.which`. */
export const systemWhichParamsSchema = closed({ bins: texts });

/** Payload of `system.which`: the path of each program that was found. */
export const systemWhichResultSchema = open({
  /** The macOS app of protocol 3 lists names here and puts the paths into `paths`. */
  bins: z.union([z.record(z.string(), anyText), z.array(anyText)]),
  paths: z.record(z.string(), anyText).optional(),
});
export type SystemWhichResult = z.infer<typeof systemWhichResultSchema>;

/** Params of the node command `system.notify`. */
export const systemNotifyParamsSchema = closed({
  title: anyText.optional(),
  body: anyText.optional(),
  sound: anyText.optional(),
  priority: z.enum(["passive", "active", "timeSensitive"]).optional(),
  delivery: z.enum(["system", "overlay", "auto"]).optional(),
});
export type SystemNotifyParams = z.infer<typeof systemNotifyParamsSchema>;

const execPolicy = {
  /** `deny`, `allowlist` or `full`. */
  security: anyText.optional(),
  /** `off`, `on-miss` or `always`. */
  ask: anyText.optional(),
  /** A `security` value, for when nobody can be asked. */
  askFallback: anyText.optional(),
  autoAllowSkills: flag.optional(),
};

const epochMs = z.number().min(0);

/** The exec policy of a host, as its file holds it. What other releases add to it is kept. */
export const execApprovalsFileSchema = open({
  version: z.literal(1),
  /** The token is removed before the file leaves its host. */
  socket: open({ path: anyText.optional(), token: anyText.optional() }).optional(),
  defaults: open(execPolicy).optional(),
  agents: z
    .record(
      z.string(),
      open({
        ...execPolicy,
        allowlist: z
          .array(
            open({
              id: text.optional(),
              pattern: anyText,
              source: z.literal("allow-always").optional(),
              commandText: anyText.optional(),
              argPattern: anyText.optional(),
              lastUsedAt: epochMs.optional(),
              lastUsedCommand: anyText.optional(),
              lastResolvedPath: anyText.optional(),
            }),
          )
          .optional(),
        mcpTools: z
          .array(
            open({
              server: text,
              tool: text,
              source: z.literal("allow-always"),
              addedAt: epochMs,
              lastUsedAt: epochMs.optional(),
            }),
          )
          .optional(),
      }),
    )
    .optional(),
});
export type ExecApprovalsFile = z.infer<typeof execApprovalsFileSchema>;

/** Payload of `system.execApprovals.get` and `.set`. */
export const execApprovalsSnapshotSchema = open({
  path: text,
  exists: flag,
  /** Hex SHA-256 of the stored text; what `baseHash` is compared with. */
  hash: text,
  file: execApprovalsFileSchema,
});
export type ExecApprovalsSnapshot = z.infer<typeof execApprovalsSnapshotSchema>;

/** Params of the node command `system.execApprovals.set`. */
export const execApprovalsSetParamsSchema = closed({
  file: execApprovalsFileSchema,
  /** Required once a file exists. */
  baseHash: text.optional(),
});
export type ExecApprovalsSetParams = z.infer<typeof execApprovalsSetParamsSchema>;

/** The node commands whose payloads this package knows, by name. */
export const commandSchemas = {
  "system.run": { params: systemRunParamsSchema, result: systemRunResultSchema },
  "system.run.prepare": {
    params: systemRunPrepareParamsSchema,
    result: systemRunPrepareResultSchema,
  },
  "system.which": { params: systemWhichParamsSchema, result: systemWhichResultSchema },
  "system.notify": { params: systemNotifyParamsSchema, result: anyJson },
  "system.execApprovals.get": { params: closed({}), result: execApprovalsSnapshotSchema },
  "system.execApprovals.set": {
    params: execApprovalsSetParamsSchema,
    result: execApprovalsSnapshotSchema,
  },
} as const;

export type CommandName = keyof typeof commandSchemas;

/** What a caller writes as params of a known node command. */
export type CommandParams<C extends CommandName> = z.input<(typeof commandSchemas)[C]["params"]>;

/** The payload of a known node command. */
export type CommandResult<C extends CommandName> = z.output<(typeof commandSchemas)[C]["result"]>;
