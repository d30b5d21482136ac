import * as z from "zod";
import { anyJson, anyText, closed, count, flag, maybe, open, text } from "./primitives.ts";

const issue = open({ path: anyText, message: anyText });

/** The answer of `config.get`. Secrets are hidden; written back, what hides them keeps them. */
export const configGetResultSchema = open({
  path: text,
  exists: flag,
  /** The text of the file; `null` where there is none, or nothing can be told from its secrets. */
  raw: anyText.nullable(),
  /** The config as it is written: `${VAR}` stands as it is. */
  parsed: anyJson,
  valid: flag,
  /** The config as it counts. */
  config: z.record(z.string(), z.unknown()),
  /** Opaque; what a writer gives as `baseHash`. */
  hash: maybe.text,
  issues: z.array(issue),
  warnings: z.array(anyJson),
  legacyIssues: z.array(anyJson),
  sourceConfig: maybe.anyObject,
  runtimeConfig: maybe.anyObject,
  resolved: maybe.anyObject,
  configRevisionHash: maybe.text,
  /** Hash of the file that the running Gateway works with. */
  appliedConfigHash: maybe.text,
});

/** The answer of `config.get`. */
export type ConfigGetResult = z.infer<typeof configGetResultSchema>;

export const configSetParamsSchema = closed({ raw: anyText, baseHash: maybe.text });

export const configSetResultSchema = open({
  ok: flag,
  path: text,
  hash: maybe.text,
  config: z.record(z.string(), z.unknown()),
});

const changeParams = {
  raw: anyText,
  baseHash: maybe.text,
  /** Kept for peers that send them; this Gateway tells no chat of a restart. */
  sessionKey: maybe.anyText,
  deliveryContext: maybe.anyObject,
  note: maybe.anyText,
  restartDelayMs: maybe.count,
  /**
   * Ours: the change is taken back by itself unless `config.confirm` is called within this time, over a
   * connection made after it was applied. In milliseconds, from a second to an hour.
   */
  confirmMs: count.min(1_000).max(3_600_000).optional(),
};

/** `raw` is a merge patch: `null` deletes a key, and a path of `replacePaths` is not merged. */
export const configPatchParamsSchema = closed({
  ...changeParams,
  replacePaths: z.array(text).optional(),
});

/** `raw` is the whole file. */
export const configApplyParamsSchema = closed(changeParams);

/** The answer of `config.patch` and `config.apply`. */
export const configChangeResultSchema = open({
  ok: flag,
  path: text,
  hash: maybe.text,
  config: z.record(z.string(), z.unknown()),
  changedPaths: z.array(anyText).optional(),
  /** What the running Gateway does for it. */
  restart: maybe.anyJson,
  sentinel: maybe.anyJson,
  /** Ours: the change is taken back at `expiresAtMs` unless it is confirmed. */
  pending: open({ id: text, expiresAtMs: count }).optional(),
});

/** The answer of `config.patch` and `config.apply`. */
export type ConfigChangeResult = z.infer<typeof configChangeResultSchema>;

/** Ours: keeps a change that waits for its confirmation. */
export const configConfirmParamsSchema = closed({ id: text });

export const configConfirmResultSchema = open({ ok: flag, id: text });

export const configSchemaResultSchema = open({
  schema: anyJson,
  uiHints: z.record(z.string(), z.unknown()),
  version: anyText,
  generatedAt: anyText,
});

export const configSchemaLookupParamsSchema = closed({ path: text });

/** One place of the schema, without what is below its children. */
export const configSchemaLookupResultSchema = open({
  path: anyText,
  schema: anyJson,
  reloadKind: anyText,
  hint: maybe.anyObject,
  children: z.array(anyJson),
});

/** Payload of the event `config.changed`. */
export const configChangedEventSchema = open({ path: text, hash: maybe.text, ts: count });
