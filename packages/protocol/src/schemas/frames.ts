import * as z from "zod";
import { anyJson, anyText, closed, count, flag, text } from "./primitives.ts";

/** The error of a response; its type is `ErrorShape`. */
export const errorShapeSchema = closed({
  code: text,
  message: text,
  details: anyJson.optional(),
  retryable: flag.optional(),
  retryAfterMs: count.optional(),
});

/** A request as `parseFrame` accepts it. */
export const requestFrameSchema = closed({
  type: z.literal("req"),
  id: text,
  method: text,
  params: anyJson.optional(),
  traceparent: anyText.max(128).optional(),
  expectedProfileId: text.max(128).optional(),
});

/** A response as `parseFrame` accepts it. */
export const responseFrameSchema = closed({
  type: z.literal("res"),
  id: text,
  ok: flag,
  payload: anyJson.optional(),
  error: errorShapeSchema.optional(),
});

/** Counters that go with the `presence` and `health` events and the snapshot. */
export const stateVersionSchema = closed({ presence: count, health: count });

/** An event as `parseFrame` accepts it. */
export const eventFrameSchema = closed({
  type: z.literal("event"),
  event: text,
  payload: anyJson.optional(),
  seq: count.optional(),
  stateVersion: stateVersionSchema.optional(),
  recipientProfileId: text.optional(),
});
