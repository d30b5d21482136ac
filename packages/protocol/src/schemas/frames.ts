import * as z from "zod";
import { anyText, closed, count, flag, maybe, text } from "./primitives.ts";

/** The error of a response; its type is `ErrorShape`. */
export const errorShapeSchema = closed({
  code: text,
  message: text,
  details: maybe.anyJson,
  retryable: maybe.flag,
  retryAfterMs: maybe.count,
});

/** A request as `parseFrame` accepts it. */
export const requestFrameSchema = closed({
  type: z.literal("req"),
  id: text,
  method: text,
  params: maybe.anyJson,
  traceparent: anyText.max(128).optional(),
  expectedProfileId: text.max(128).optional(),
});

/** A response as `parseFrame` accepts it. */
export const responseFrameSchema = closed({
  type: z.literal("res"),
  id: text,
  ok: flag,
  payload: maybe.anyJson,
  error: errorShapeSchema.optional(),
});

/** Counters that go with the `presence` and `health` events and the snapshot. */
export const stateVersionSchema = closed({ presence: count, health: count });

/** An event as `parseFrame` accepts it. */
export const eventFrameSchema = closed({
  type: z.literal("event"),
  event: text,
  payload: maybe.anyJson,
  seq: maybe.count,
  stateVersion: stateVersionSchema.optional(),
  recipientProfileId: maybe.text,
});
