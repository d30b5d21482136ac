import type { EventFrame, ResponseFrame } from "@openclaw/protocol";

/**
 * What a Gateway may send. Unlike a Gateway, a client takes members it does not know: a newer peer
 * may add some. `undefined` for anything that is not a response or an event.
 */
export function parseInboundFrame(text: string): ResponseFrame | EventFrame | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const frame = value as { type?: unknown; id?: unknown; ok?: unknown; event?: unknown };
  const known =
    frame.type === "res"
      ? typeof frame.id === "string" && typeof frame.ok === "boolean"
      : frame.type === "event" && typeof frame.event === "string";
  // Checked above; the payload is for the reader of the method or event to interpret.
  return known ? (value as ResponseFrame | EventFrame) : undefined;
}
