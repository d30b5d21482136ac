import * as z from "zod";
import {
  amount,
  anyJson,
  anyText,
  closed,
  count,
  flag,
  integer,
  maybe,
  open,
  text,
  texts,
} from "./primitives.ts";

const runTarget = {
  /** argv; the first is the program. Arguments may be empty. */
  command: z.array(anyText).min(1),
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
  systemRunPlan: maybe.anyJson,
});

/** Params of `system.run`. */
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

/** Payload of `system.run`. */
export type SystemRunResult = z.infer<typeof systemRunResultSchema>;

/** Params of the node command `system.run.prepare`. */
export const systemRunPrepareParamsSchema = closed(runTarget);

/** Params of `system.run.prepare`. */
export type SystemRunPrepareParams = z.infer<typeof systemRunPrepareParamsSchema>;

/** Payload of `system.run.prepare`: what would run, and by which policy. */
export const systemRunPrepareResultSchema = open({
  plan: open({
    argv: z.array(anyText),
    cwd: anyText.nullish(),
    commandText: anyText,
    commandPreview: anyText.nullish(),
    agentId: anyText.nullish(),
    sessionKey: anyText.nullish(),
    mutableFileOperand: maybe.anyJson,
    policySnapshot: maybe.anyJson,
  }),
  execPolicy: open({ security: text, ask: text }).optional(),
  allowAlwaysCoverage: maybe.anyJson,
});

/** Payload of `system.run.prepare`. */
export type SystemRunPrepareResult = z.infer<typeof systemRunPrepareResultSchema>;

/** Params of the node command `system.which`. */
export const systemWhichParamsSchema = closed({ bins: texts });

/** Payload of `system.which`: the path of each program that was found. */
export const systemWhichResultSchema = open({
  /** The macOS app of protocol 3 lists names here and puts the paths into `paths`. */
  bins: z.union([z.record(z.string(), anyText), z.array(anyText)]),
  paths: z.record(z.string(), anyText).optional(),
});

/** Payload of `system.which`. */
export type SystemWhichResult = z.infer<typeof systemWhichResultSchema>;

/** Params of the node command `system.notify`. */
export const systemNotifyParamsSchema = closed({
  title: maybe.anyText,
  body: maybe.anyText,
  sound: maybe.anyText,
  priority: z.enum(["passive", "active", "timeSensitive"]).optional(),
  delivery: z.enum(["system", "overlay", "auto"]).optional(),
});

/** Params of `system.notify`. */
export type SystemNotifyParams = z.infer<typeof systemNotifyParamsSchema>;

const execPolicy = {
  /** `deny`, `allowlist` or `full`. */
  security: maybe.anyText,
  /** `off`, `on-miss` or `always`. */
  ask: maybe.anyText,
  /** A `security` value, for when nobody can be asked. */
  askFallback: maybe.anyText,
  autoAllowSkills: maybe.flag,
};

const epochMs = amount.optional();

/** The policy file, closed where it is written and open where it is read. */
function execApprovalsFile(object: typeof open) {
  return object({
    version: z.literal(1),
    /** The token is removed before the file leaves its host. */
    socket: object({ path: maybe.anyText, token: maybe.anyText }).optional(),
    defaults: object(execPolicy).optional(),
    agents: z
      .record(
        z.string(),
        object({
          ...execPolicy,
          allowlist: z
            .array(
              object({
                id: maybe.text,
                pattern: anyText,
                source: z.literal("allow-always").optional(),
                commandText: maybe.anyText,
                argPattern: maybe.anyText,
                lastUsedAt: epochMs,
                lastUsedCommand: maybe.anyText,
                lastResolvedPath: maybe.anyText,
              }),
            )
            .optional(),
          mcpTools: z
            .array(
              object({
                server: text,
                tool: text,
                source: z.literal("allow-always"),
                addedAt: amount,
                lastUsedAt: epochMs,
              }),
            )
            .optional(),
        }),
      )
      .optional(),
  });
}

/** The exec policy of a host as one writes it: a misspelt member must not pass for a rule. */
export const execApprovalsFileSchema = execApprovalsFile(closed);

/** The exec policy of a host, for writing. */
export type ExecApprovalsFile = z.infer<typeof execApprovalsFileSchema>;

/** Payload of `system.execApprovals.get` and `.set`. */
export const execApprovalsSnapshotSchema = open({
  path: text,
  exists: flag,
  /** Hex SHA-256 of the stored text; what `baseHash` is compared with. */
  hash: text,
  file: execApprovalsFile(open),
});

/** The exec policy of a host as it stands, with the hash that guards a change. */
export type ExecApprovalsSnapshot = z.infer<typeof execApprovalsSnapshotSchema>;

/** Params of the node command `system.execApprovals.set`. */
export const execApprovalsSetParamsSchema = closed({
  file: execApprovalsFileSchema,
  /** Required once a file exists. */
  baseHash: maybe.text,
});

/** Params of `system.execApprovals.set`. */
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

/** A node command whose payloads this package knows. */
export type CommandName = keyof typeof commandSchemas;

/** What a caller writes as params of a known node command. */
export type CommandParams<C extends CommandName> = z.input<(typeof commandSchemas)[C]["params"]>;

/** The payload of a known node command. */
export type CommandResult<C extends CommandName> = z.output<(typeof commandSchemas)[C]["result"]>;
