import { randomUUID } from "node:crypto";
import { CliError } from "../errors.ts";
import { explainFailure } from "../gateway/explain-failure.ts";
import type { GatewaySession } from "../gateway/session.ts";
import type { CommandContext } from "../program/command-context.ts";
import { safeText } from "../output/text.ts";
import type { NodeEntry } from "./node-entry.ts";

/** A Gateway sends progress only to those who declare this. */
export const PROGRESS_CAP = "invoke-progress";

/** Ask what became of a key; a Gateway that serves it also runs a key at most once. */
export const STATUS_METHOD = "node.invoke.status";
const CANCEL_METHOD = "node.invoke.cancel";
const PROGRESS_EVENT = "node.invoke.progress";

/** What the answer may take beyond the node's own time. */
const GRACE_MS = 5_000;
const CANCEL_TIMEOUT_MS = 3_000;

export interface Invocation {
  readonly node: NodeEntry;
  readonly command: string;
  readonly params: unknown;
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

/**
 * Invokes a command under one key. Ctrl-C stops the work on the node, a second one leaves it.
 *
 * @throws {CliError} with the key in it, and how to ask what became of it
 */
export async function invokeNode(
  context: CommandContext,
  session: GatewaySession,
  invocation: Invocation,
): Promise<InvokeAnswer> {
  const { node, command, params, invokeTimeoutMs, onProgress } = invocation;
  const idempotencyKey = context.text("idempotency-key") ?? randomUUID();
  const timeoutMs = context.integer("timeout") ?? 30_000;
  const offProgress = onProgress && listenForProgress(session, idempotencyKey, onProgress);
  const offSignal = stopOnSignal(context, session, idempotencyKey);
  try {
    return await session.request<InvokeAnswer>(
      "node.invoke",
      {
        nodeId: node.nodeId,
        command,
        params,
        idempotencyKey,
        ...(invokeTimeoutMs > 0 ? { timeoutMs: invokeTimeoutMs } : {}),
      },
      // The Gateway's own answer about the stage that was reached is better than giving up first.
      { timeoutMs: Math.max(timeoutMs, invokeTimeoutMs + GRACE_MS) },
    );
  } catch (error) {
    const failure = await explainFailure(error, { context, gateway: session.gateway, timeoutMs });
    throw failure instanceof CliError
      ? withKey(failure, context, session, idempotencyKey)
      : failure;
  } finally {
    offProgress?.();
    offSignal();
  }
}

function listenForProgress(
  session: GatewaySession,
  idempotencyKey: string,
  onProgress: (chunk: string) => void,
): () => void {
  return session.client.on(PROGRESS_EVENT, (payload) => {
    if (typeof payload !== "object" || payload === null) return;
    const { idempotencyKey: key, chunk } = payload as { idempotencyKey?: unknown; chunk?: unknown };
    if (key === idempotencyKey && typeof chunk === "string") onProgress(chunk);
  });
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
      context.io.terminate(1);
      return;
    }
    isStopping = true;
    context.say("Stopping it on the node. Ctrl-C again leaves it running.");
    session
      .request(CANCEL_METHOD, { idempotencyKey }, { timeoutMs: CANCEL_TIMEOUT_MS })
      .catch((error: unknown) => {
        context.say(
          `It could not be stopped: ${error instanceof Error ? safeText(error.message) : String(error)}`,
        );
      });
  });
}

/** Names the key, so that nobody has to guess whether something ran. */
function withKey(
  failure: CliError,
  context: CommandContext,
  session: GatewaySession,
  idempotencyKey: string,
): CliError {
  const hints =
    session.serves(STATUS_METHOD) && isUncertain(failure)
      ? [`What became of it: ${context.commandLine(`nodes invoke --status ${idempotencyKey}`)}`]
      : [];
  return new CliError(failure.type, failure.message, {
    exitCode: failure.exitCode,
    hints: [...failure.hints, ...hints],
    fields: { ...failure.fields, idempotencyKey },
    siblings: failure.siblings,
    cause: failure.cause,
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
      if (typeof text === "string")
        return { stream: stream === "stderr" ? "stderr" : "stdout", text };
    }
  } catch {
    // Free text is as good: not every command that reports progress is a program with two streams.
  }
  return { stream: "stderr", text: chunk };
}
