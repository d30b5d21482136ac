import { type RequestError, invalidRequest, unavailable } from "../errors.ts";
import type { Invocation, NodeFailure, Settlement } from "./invocation.ts";

/** The key stands for another request already. */
export function keyConflict(key: string): RequestError {
  return invalidRequest("idempotencyKey was used with another node, command or params", {
    code: "KEY_CONFLICT",
    idempotencyKey: key,
  });
}

/** The node cannot be asked, and the key has begun: whether it ran is known when the node is back. */
export function notReachable(invocation: Invocation, error: RequestError): RequestError {
  const details = typeof error.details === "object" ? error.details : {};
  return unavailable(error.message, {
    ...(error.retryable === undefined ? {} : { retryable: error.retryable }),
    details: {
      ...details,
      nodeCommandDispatched: invocation.stage === "running",
      stage: invocation.stage,
      idempotencyKey: invocation.key,
    },
  });
}

/** Time ran out; says how far it had come. */
export function timeoutError(invocation: Invocation): RequestError {
  const dispatched = invocation.stage === "running";
  return nodeError("TIMEOUT", "node invoke timed out", dispatched, {
    stage: invocation.stage,
    idempotencyKey: invocation.key,
  });
}

/** What somebody who waited is answered when there is no outcome. */
export function settlementError(
  invocation: Invocation,
  settlement: Exclude<Settlement, { kind: "outcome" }>,
): RequestError {
  const where = { stage: invocation.stage, idempotencyKey: invocation.key };
  if (settlement.kind === "timeout") return timeoutError(invocation);
  if (settlement.kind === "disconnected") {
    const message = `node disconnected (${invocation.command})`;
    return nodeError("DISCONNECTED", message, true, where);
  }
  return nodeError(settlement.code, settlement.message, false, { ...where, stage: "not-sent" });
}

function nodeError(
  code: string,
  message: string,
  dispatched: boolean,
  details: object,
): RequestError {
  return unavailable(`${code}: ${message}`, {
    details: { code, nodeError: { code, message }, nodeCommandDispatched: dispatched, ...details },
  });
}

/** A node's own failure as the operator sees it (wire §7.5). */
export function remoteFailure(failure: NodeFailure): RequestError {
  const message = failure.message ?? "node invoke failed";
  return unavailable(failure.code ? `${failure.code}: ${message}` : message, {
    details: { nodeError: failure, nodeCommandDispatched: true },
  });
}
