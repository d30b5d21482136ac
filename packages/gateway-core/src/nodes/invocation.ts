import type { Connection } from "../connections/connection.ts";

/**
 * How an invocation ended, as text that is stored and, later, sent as it is.
 *
 * The first character tells what follows: `t` the node's payload as the JSON text it sent, `p` a
 * payload it sent parsed, `n` nothing, `e` an error `{code?, message?}`.
 */
export type Outcome = string;

export interface NodeFailure {
  code?: string | undefined;
  message?: string | undefined;
}

export function outcomeOfText(payloadJSON: string): Outcome {
  return `t${payloadJSON}`;
}

export function outcomeOfPayload(payload: unknown): Outcome {
  return payload === undefined ? "n" : `p${JSON.stringify(payload)}`;
}

export function outcomeOfFailure(failure: NodeFailure): Outcome {
  return `e${JSON.stringify({ code: failure.code, message: failure.message })}`;
}

/** The failure in an outcome, or nothing when the node succeeded. */
export function failureOf(outcome: Outcome): NodeFailure | undefined {
  // Written by outcomeOfFailure.
  return outcome.startsWith("e") ? (JSON.parse(outcome.slice(1)) as NodeFailure) : undefined;
}

/** The `payload` and `payloadJSON` members of an answer, as JSON text. */
export function payloadMembers(outcome: Outcome): {
  payload: string | undefined;
  payloadJSON: string;
} {
  const text = outcome.slice(1);
  if (outcome.startsWith("n")) return { payload: undefined, payloadJSON: "null" };
  if (outcome.startsWith("p")) return { payload: text, payloadJSON: "null" };
  const payloadJSON = JSON.stringify(text);
  return { payload: isJson(text) ? text : `{"payloadJSON":${payloadJSON}}`, payloadJSON };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Somebody who waits for an invocation to end. */
export interface Waiter {
  /** Where progress goes, if that peer asked for it. */
  readonly connection: Connection | undefined;
  /** Its own deadline, if it joined; whoever began the invocation shares the invocation's. */
  readonly timer: NodeJS.Timeout | undefined;
  settle(settlement: Settlement): void;
}

export type Settlement =
  | { kind: "outcome"; outcome: Outcome }
  | { kind: "timeout" }
  | { kind: "disconnected" }
  | { kind: "not-sent"; code: string; message: string };

/**
 * An invocation that has not ended. `queued`: recorded, about to leave. `running`: handed to the
 * node's connection, or to one that has since gone; only the node knows how far it came.
 */
export interface Invocation {
  readonly key: string;
  readonly id: string;
  readonly fingerprint: string;
  readonly nodeId: string;
  readonly command: string;
  readonly createdAtMs: number;
  stage: "queued" | "running";
  /** The connection that is expected to answer; none while the node is away. */
  carrier: Connection | undefined;
  readonly waiters: Set<Waiter>;
  /** Ends the work at the node when its time is up. */
  deadlineTimer: NodeJS.Timeout | undefined;
  /** The next progress chunk (-1: not known), and those that came before their turn. */
  nextProgress: number;
  heldProgress: Map<number, string> | undefined;
  nextInput: number;
}
