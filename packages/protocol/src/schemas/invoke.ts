import * as z from "zod";
import { MAX_PROGRESS_CHUNK_CHARS } from "../limits.ts";
import { errorShapeSchema } from "./frames.ts";
import { anyText, closed, count, flag, maybe, open, text } from "./primitives.ts";

const chunk = anyText.max(MAX_PROGRESS_CHUNK_CHARS);

/** Keys are kept in memory and on disk, so they have a limit. */
const MAX_KEY_CHARS = 1_024;
const key = text.max(MAX_KEY_CHARS);

/** Params of `node.invoke`. */
export const nodeInvokeParamsSchema = closed({
  nodeId: text,
  command: text,
  params: maybe.anyJson,
  /** See `resolveInvokeTimeoutMs`. */
  timeoutMs: maybe.count,
  /** What makes a retry safe: a key runs at most once, and always with the same body. */
  idempotencyKey: key,
  sessionKey: maybe.text,
  turnSourceChannel: maybe.anyText,
  turnSourceTo: maybe.anyText,
  turnSourceAccountId: maybe.anyText,
  turnSourceThreadId: z.union([z.string(), z.number()]).optional(),
});

/** Params of `node.invoke`; {@link nodeInvokeParamsSchema} checks them. */
export type NodeInvokeParams = z.infer<typeof nodeInvokeParamsSchema>;

/** The answer of `node.invoke` once the command succeeded. */
export const nodeInvokeResultSchema = open({
  ok: z.literal(true),
  nodeId: text,
  command: text,
  payload: maybe.anyJson,
  /** The payload as the node wrote it; null where it sent a value instead. */
  payloadJSON: anyText.nullish(),
});

/** The answer of `node.invoke` once the command succeeded. */
export type NodeInvokeResult = z.infer<typeof nodeInvokeResultSchema>;

/** Payload of the event `node.invoke.request`, which asks a node to run a command. */
export const nodeInvokeRequestEventSchema = open({
  id: text,
  nodeId: text,
  command: text,
  paramsJSON: anyText.nullish(),
  /** What is left of the caller's deadline. */
  timeoutMs: maybe.count,
  idempotencyKey: maybe.text,
  sessionKey: maybe.text,
});

/** Payload of the event `node.invoke.request`. */
export type NodeInvokeRequestEvent = z.infer<typeof nodeInvokeRequestEventSchema>;

/** Params of `node.invoke.result`: a node's answer. Some nodes send null for what they lack. */
export const nodeInvokeResultParamsSchema = closed({
  id: text,
  nodeId: text,
  ok: flag,
  payload: maybe.anyJson,
  payloadJSON: anyText.nullish(),
  error: closed({ code: maybe.text, message: maybe.text }).nullish(),
});

/** Params of `node.invoke.result`, a node's answer. */
export type NodeInvokeResultParams = z.infer<typeof nodeInvokeResultParamsSchema>;

/** `ignored` where the invocation is unknown or settled already. */
export const nodeInvokeAcknowledgedSchema = open({ ok: flag, ignored: maybe.flag });

/** Params of `node.invoke.progress`: a piece of output, counted from 0 within its invocation. */
export const nodeInvokeProgressParamsSchema = closed({
  invokeId: text,
  nodeId: text,
  seq: count,
  chunk,
});

/** Params of `node.invoke.progress`. */
export type NodeInvokeProgressParams = z.infer<typeof nodeInvokeProgressParamsSchema>;

/** Payload of the event `node.invoke.progress` to operators that wait for that key. Ours. */
export const nodeInvokeProgressEventSchema = open({
  idempotencyKey: text,
  invokeId: text,
  nodeId: text,
  seq: count,
  chunk,
});

/** Payload of the event `node.invoke.progress`. */
export type NodeInvokeProgressEvent = z.infer<typeof nodeInvokeProgressEventSchema>;

/** What a chunk of `system.run` holds, as JSON text. Ours. */
export const systemRunChunkSchema = open({ stream: z.enum(["stdout", "stderr"]), text: anyText });

/** A piece of live output of `system.run`. */
export type SystemRunChunk = z.infer<typeof systemRunChunkSchema>;

/** Payload of the event `node.invoke.cancel`: the node stops the work. */
export const nodeInvokeCancelEventSchema = open({ invokeId: text, nodeId: text });

/** Payload of the event `node.invoke.cancel`. */
export type NodeInvokeCancelEvent = z.infer<typeof nodeInvokeCancelEventSchema>;

/** Payload of the event `node.invoke.input`, counted from 0 within its invocation. */
export const nodeInvokeInputEventSchema = open({
  id: text,
  nodeId: text,
  seq: count,
  payloadJSON: chunk,
});

/** Payload of the event `node.invoke.input`. */
export type NodeInvokeInputEvent = z.infer<typeof nodeInvokeInputEventSchema>;

/** Params that name an invocation by its key. */
export const idempotencyKeyParamsSchema = closed({ idempotencyKey: text });

/** How far an invocation has come. */
export const invokeStageSchema = z.enum([
  "not-sent",
  "queued",
  "running",
  "finished",
  "interrupted",
]);

/** How far an invocation has come; `interrupted` means that the node began it and died. */
export type InvokeStage = z.infer<typeof invokeStageSchema>;

/** The answer of `node.invoke.status`. Ours. */
export const nodeInvokeStatusResultSchema = open({
  idempotencyKey: text,
  stage: invokeStageSchema,
  /** Whether the Gateway holds a record of the key. */
  recorded: flag,
  nodeId: maybe.text,
  command: maybe.text,
  invokeId: maybe.text,
  createdAtMs: maybe.count,
  updatedAtMs: maybe.count,
  nodeConnected: maybe.flag,
  /** With the outcome, once finished: as `node.invoke` answers or fails. */
  ok: maybe.flag,
  payload: maybe.anyJson,
  payloadJSON: anyText.nullish(),
  error: errorShapeSchema.optional(),
});

/** The answer of `node.invoke.status`. */
export type NodeInvokeStatusResult = z.infer<typeof nodeInvokeStatusResultSchema>;

/** The answer of `node.invoke.cancel`. Ours. */
export const nodeInvokeCancelResultSchema = open({
  ok: flag,
  /** False where there was nothing left to stop. */
  cancelled: flag,
  stage: invokeStageSchema,
});

/** The answer of `node.invoke.cancel`. */
export type NodeInvokeCancelResult = z.infer<typeof nodeInvokeCancelResultSchema>;

/** Params of `node.invoke.input`. Ours. */
export const nodeInvokeInputParamsSchema = closed({ idempotencyKey: text, payloadJSON: chunk });

/** Params of `node.invoke.sync`. Ours. */
export const nodeInvokeSyncParamsSchema = closed({
  /** Whether the node's record outlives its process: then its outcome may be told at once. */
  durable: maybe.flag,
});

/** The answer of `node.invoke.sync`: what earlier connections of the node left open. Ours. */
export const nodeInvokeSyncResultSchema = open({
  open: z.array(open({ id: text, idempotencyKey: text })),
});

/** The answer of `node.invoke.sync`. */
export type NodeInvokeSyncResult = z.infer<typeof nodeInvokeSyncResultSchema>;
