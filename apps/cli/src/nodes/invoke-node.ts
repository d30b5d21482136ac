import { randomUUID } from "node:crypto";
import { safeText } from "@openclaw/app-kit";
import { backoffDelayMs } from "@openclaw/client";
import { CAP_INVOKE_PROGRESS } from "@openclaw/protocol";
import { CliError } from "../errors.ts";
import { type GatewaySession, withGateway } from "../gateway/session.ts";
import type { CommandContext } from "../program/command-context.ts";
import { fetchNode } from "./fetch-nodes.ts";
import type { NodeEntry } from "./node-entry.ts";

/** Ask what became of a key; a Gateway that serves it also runs a key at most once. */
export const STATUS_METHOD = "node.invoke.status";
const CANCEL_METHOD = "node.invoke.cancel";
const PROGRESS_EVENT = "node.invoke.progress";

/** What the answer may take beyond the node's own time. */
const GRACE_MS = 5_000;
const CANCEL_TIMEOUT_MS = 3_000;
const RESUME_BACKOFF = { baseMs: 250, maxMs: 2_000 };

export interface Invocation {
  readonly command: string;
  /** Made for the node that `--node` turned out to mean. */
  readonly params: (node: NodeEntry) => unknown;
  readonly scopes: readonly string[];
  /** Time for the node; 0 is the Gateway's default. */
  readonly invokeTimeoutMs: number;
  /** Each piece of progress, in order. */
  readonly onProgress?: (chunk: string) => void;
}

/** What `node.invoke` answers. */
export interface InvokeAnswer {
  ok?: boolean;
  nodeId?: string;
  command?: string;
  payload?: unknown;
  payloadJSON?: string | null;
}

/** One invocation, over as many connections as it takes. */
interface Attempt {
  readonly idempotencyKey: string;
  readonly timeoutMs: number;
  /** The request has been written at least once. */
  isSent: boolean;
  /** The Gateway runs a key at most once, so that asking again is safe. */
  isSafeToRepeat: boolean;
}

/**
 * Invokes a command on the node of `--node` under one key. When the connection is lost, asks again
 * under the same key, where the Gateway keeps a record of it. Ctrl-C stops the work on the node, a
 * second one leaves it.
 *
 * @throws {CliError} with the key in it, and how to ask what became of it
 */
export async function invokeOnNode(
  context: CommandContext,
  invocation: Invocation,
): Promise<InvokeAnswer> {
  const { scopes, invokeTimeoutMs, onProgress } = invocation;
  const timeoutMs = context.integer("timeout") ?? 30_000;
  const attempt: Attempt = {
    idempotencyKey: context.text("idempotency-key") ?? randomUUID(),
    // The Gateway's own answer about the stage that was reached is better than giving up first.
    timeoutMs: Math.max(timeoutMs, invokeTimeoutMs + GRACE_MS),
    isSent: false,
    isSafeToRepeat: false,
  };
  const deadlineAt = performance.now() + attempt.timeoutMs;
  const caps = onProgress === undefined ? [] : [CAP_INVOKE_PROGRESS];
  for (let resumed = 0; ; resumed += 1) {
    try {
      // One connection after the other: the next is needed only when this one is lost.
      // oxlint-disable-next-line no-await-in-loop
      return await withGateway(context, { scopes, caps, timeoutMs, isLong: true }, (session) =>
        invokeOnce(context, session, invocation, attempt),
      );
    } catch (error) {
      const pauseMs = backoffDelayMs(resumed, RESUME_BACKOFF);
      const isTimeLeft = performance.now() + pauseMs < deadlineAt;
      if (!isTimeLeft || !canAskAgain(error, attempt)) throw withKey(error, context, attempt);
      if (resumed === 0) context.say("Connection lost. Asking again under the same key.");
      // oxlint-disable-next-line no-await-in-loop
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
}

async function invokeOnce(
  context: CommandContext,
  session: GatewaySession,
  { command, params, invokeTimeoutMs, onProgress }: Invocation,
  attempt: Attempt,
): Promise<InvokeAnswer> {
  const { idempotencyKey, timeoutMs } = attempt;
  const node = await fetchNode(session, context);
  attempt.isSafeToRepeat = session.serves(STATUS_METHOD);
  const offProgress = onProgress && listenForProgress(context, session, idempotencyKey, onProgress);
  const offSignal = stopOnSignal(context, session, idempotencyKey);
  try {
    const answer = session.request<InvokeAnswer>(
      "node.invoke",
      {
        nodeId: node.nodeId,
        command,
        params: params(node),
        idempotencyKey,
        ...(invokeTimeoutMs > 0 ? { timeoutMs: invokeTimeoutMs } : {}),
      },
      { timeoutMs },
    );
    attempt.isSent = true;
    return await answer;
  } finally {
    offProgress?.();
    offSignal();
  }
}

function listenForProgress(
  context: CommandContext,
  session: GatewaySession,
  idempotencyKey: string,
  onProgress: (chunk: string) => void,
): () => void {
  let lastSeq: number | undefined;
  return session.client.on(PROGRESS_EVENT, (payload) => {
    const { idempotencyKey: key, chunk, seq } = (payload ?? {}) as Partial<Progress>;
    if (key !== idempotencyKey || typeof chunk !== "string") return;
    // The Gateway drops progress for a reader that is too slow; the result is whole all the same.
    if (lastSeq !== undefined && typeof seq === "number" && seq > lastSeq + 1) {
      context.say("[some live output was lost on the way]");
    }
    if (typeof seq === "number") lastSeq = seq;
    onProgress(chunk);
  });
}

/** Payload of a progress event; each member is looked at before it is used. */
interface Progress {
  idempotencyKey: unknown;
  chunk: unknown;
  seq: unknown;
}

function stopOnSignal(
  context: CommandContext,
  session: GatewaySession,
  idempotencyKey: string,
): () => void {
  let isStopping = false;
  return context.io.onSignal(() => {
    if (isStopping || !session.serves(CANCEL_METHOD)) {
      // Closing the connection is all that is left; what runs on the node goes on.
      context.say(`Left. Key: ${safeText(idempotencyKey)}`);
      void session.leave().finally(() => context.io.terminate(1));
      return;
    }
    isStopping = true;
    context.say("Stopping it on the node. Ctrl-C again leaves it running.");
    session
      .request(CANCEL_METHOD, { idempotencyKey }, { timeoutMs: CANCEL_TIMEOUT_MS })
      .catch((error: unknown) => {
        const reason = error instanceof Error ? safeText(error.message) : String(error);
        context.say(`It could not be stopped: ${reason}`);
      });
  });
}

/** Kinds of transport failure after which the Gateway may be back in a moment. */
const PASSING_KINDS = ["closed", "refused"];

function canAskAgain(error: unknown, { isSent, isSafeToRepeat }: Attempt): boolean {
  if (!isSent || !isSafeToRepeat || !(error instanceof CliError)) return false;
  if (error.type !== "gateway_transport_error") return false;
  return PASSING_KINDS.some((kind) => kind === error.fields["kind"]);
}

/** Names the key, so that nobody has to guess whether something ran. */
function withKey(error: unknown, context: CommandContext, attempt: Attempt): unknown {
  if (!(error instanceof CliError) || !attempt.isSent) return error;
  const { idempotencyKey } = attempt;
  const hints =
    attempt.isSafeToRepeat && isUncertain(error)
      ? [`What became of it: ${context.commandLine(`nodes invoke --status ${idempotencyKey}`)}`]
      : [];
  return new CliError(error.type, error.message, {
    exitCode: error.exitCode,
    hints: [...error.hints, ...hints],
    fields: { ...error.fields, idempotencyKey },
    siblings: error.siblings,
    cause: error.cause,
  });
}

/** Failures after which the command may have run, or may still. */
const UNCERTAIN_NODE_CODES = ["TIMEOUT", "DISCONNECTED", "INTERRUPTED", "IDLE_TIMEOUT"];

function isUncertain({ type, fields }: CliError): boolean {
  if (type === "gateway_transport_error") return true;
  return type === "node_error" && UNCERTAIN_NODE_CODES.some((code) => code === fields["code"]);
}

/** Text of a piece of progress, with the stream it belongs to. */
export function parseProgress(chunk: string): { stream: "stdout" | "stderr"; text: string } {
  try {
    const value: unknown = JSON.parse(chunk);
    if (typeof value === "object" && value !== null) {
      const { stream, text } = value as { stream?: unknown; text?: unknown };
      if (typeof text === "string") {
        return { stream: stream === "stderr" ? "stderr" : "stdout", text };
      }
    }
  } catch {
    // Free text is as good: not every command that reports progress is a program with two streams.
  }
  return { stream: "stderr", text: chunk };
}
