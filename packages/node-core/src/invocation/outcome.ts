import { CommandError } from "../errors.ts";

/**
 * How an invocation ended: the members of `node.invoke.result` without its ids, as JSON text without
 * braces. It is kept and sent as this text.
 */
export type OutcomeText = string;

/** The outcome of a command that returned `value`; `undefined` is an empty answer. */
export function successOutcome(value: unknown): OutcomeText {
  const payloadJSON: string | undefined = JSON.stringify(value);
  if (payloadJSON === undefined) return '"ok":true';
  return `"ok":true,"payloadJSON":${JSON.stringify(payloadJSON)}`;
}

/** The outcome of a command that failed. */
export function errorOutcome({ code, message }: { code: string; message: string }): OutcomeText {
  return `"ok":false,"error":${JSON.stringify({ code, message })}`;
}

/** What a thrown value tells the caller. */
export function toCommandError(thrown: unknown): CommandError {
  if (thrown instanceof CommandError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new CommandError("UNAVAILABLE", message || "the command failed", { cause: thrown });
}

/** The started work of a process that died, or of records that were lost with it. */
export const INTERRUPTED_OUTCOME: OutcomeText = errorOutcome({
  code: "INTERRUPTED",
  message: "the node stopped while the command ran; how far it came is not known",
});

/** The node has no record of the key: nothing was started. */
export const NOT_RECEIVED_OUTCOME: OutcomeText = errorOutcome({
  code: "NOT_RECEIVED",
  message: "the node has not received this invocation",
});

/** The key is known, with another command or other params. */
export const KEY_CONFLICT_OUTCOME: OutcomeText = errorOutcome({
  code: "KEY_CONFLICT",
  message: "the idempotency key was used before for another request",
});

/** The params of `node.invoke.result`. */
export function resultParams(id: string, nodeId: string, outcome: OutcomeText): string {
  return `{"id":${JSON.stringify(id)},"nodeId":${JSON.stringify(nodeId)},${outcome}}`;
}

/**
 * The outcome itself, or a typed error in its place if it does not fit into one frame of the peer: a
 * frame that is too large would cost the connection, and every other invocation on it.
 */
export function fitOutcome(
  outcome: OutcomeText,
  command: string,
  maxFrameBytes: number,
): OutcomeText {
  const limit = maxFrameBytes - FRAME_OVERHEAD_BYTES;
  // No character has more than three bytes for each of its code units.
  if (outcome.length * 3 <= limit) return outcome;
  const bytes = Buffer.byteLength(outcome);
  if (bytes <= limit) return outcome;
  return errorOutcome({
    code: "PAYLOAD_TOO_LARGE",
    message: `the result of ${command} has ${bytes} bytes, the Gateway takes at most ${limit}`,
  });
}

// Frame head, method, ids.
const FRAME_OVERHEAD_BYTES = 2_048;
