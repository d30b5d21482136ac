import * as z from "zod";
import { logsTailLimits } from "../limits.ts";
import { anyText, closed, count, integer, maybe, open, text } from "./primitives.ts";

export const logsTailParamsSchema = closed({
  /** As the last answer had it; without it, the end of the log. */
  cursor: maybe.count,
  limit: integer.min(1).max(logsTailLimits.lines.most).optional(),
  maxBytes: integer.min(1).max(logsTailLimits.bytes.most).optional(),
});

/** A piece of the Gateway's log. */
export const logsTailResultSchema = open({
  file: text,
  /** For the next question. What it is made of is the Gateway's concern. */
  cursor: count,
  /** Bytes in the file. */
  size: count,
  lines: z.array(anyText),
  /** Lines before these were left out. */
  truncated: maybe.flag,
  /** The lines do not follow those of the last answer, or are those of the next file. */
  reset: maybe.flag,
  skippedBytes: maybe.count,
});

/** The answer of `logs.tail`. */
export type LogsTailResult = z.infer<typeof logsTailResultSchema>;
