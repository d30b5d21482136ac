import { z } from "zod";
import { count, text } from "./common.ts";

const trace = z.string().min(1).max(128);

export const errorShapeSchema = z.strictObject({
  code: text,
  message: text,
  details: z.unknown().optional(),
  retryable: z.boolean().optional(),
  retryAfterMs: count.optional(),
});

export const requestFrameSchema = z.strictObject({
  type: z.literal("req"),
  id: text,
  method: text,
  params: z.unknown().optional(),
  traceparent: trace.optional(),
  expectedProfileId: trace.optional(),
});

export const responseFrameSchema = z.strictObject({
  type: z.literal("res"),
  id: text,
  ok: z.boolean(),
  payload: z.unknown().optional(),
  error: errorShapeSchema.optional(),
});

export const stateVersionSchema = z.strictObject({ presence: count, health: count });

export const eventFrameSchema = z.strictObject({
  type: z.literal("event"),
  event: text,
  payload: z.unknown().optional(),
  seq: count.optional(),
  stateVersion: stateVersionSchema.optional(),
  recipientProfileId: trace.optional(),
});

export const frameSchema = z.discriminatedUnion("type", [
  requestFrameSchema,
  responseFrameSchema,
  eventFrameSchema,
]);
