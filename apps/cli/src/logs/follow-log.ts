import type { LogsTailResult } from "@openclaw/protocol";
import { CliError } from "../errors.ts";
import type { ChosenGateway } from "../gateway/choose-gateway.ts";
import { withGateway } from "../gateway/session.ts";
import type { CommandContext } from "../program/command-context.ts";
import type { LogOutput } from "./log-output.ts";

/** What is asked for each time. */
export interface LogQuestion {
  readonly limit: number;
  readonly maxBytes: number;
  readonly cursor?: number;
}

export type AskForLog = (question: LogQuestion) => Promise<LogsTailResult>;

export interface FollowOptions {
  readonly context: CommandContext;
  readonly gateway: ChosenGateway;
  readonly output: LogOutput;
  readonly first: LogQuestion;
  /** Between two questions when there was nothing more. */
  readonly intervalMs: number;
  /** Ends it. */
  readonly signal: AbortSignal;
}

const SCOPES = ["operator.read"];
const FIRST_PAUSE_MS = 500;
const MAX_PAUSE_MS = 10_000;

/** The end of the log, once. */
export function readLogOnce({ context, gateway, output, first }: FollowOptions): Promise<void> {
  return withGateway(context, { scopes: SCOPES, gateway }, async (session) => {
    output.piece(await session.request<LogsTailResult>("logs.tail", first));
  });
}

/**
 * The log over RPC until the signal comes. A Gateway that was there and is gone is waited for, and
 * followed from where its log was left; one that never was there, or refuses, is a failure.
 */
export async function followGateway(options: FollowOptions): Promise<void> {
  const { context, gateway, output, signal } = options;
  const timeoutMs = context.integer("timeout") ?? 10_000;
  const place = { question: options.first, failures: 0 };
  let wasThere = false;
  while (!signal.aborted) {
    try {
      // One connection after the other.
      // oxlint-disable-next-line no-await-in-loop
      await withGateway(context, { scopes: SCOPES, gateway, isLong: true }, async (session) => {
        if (place.failures > 0) output.notice("Connected again.");
        place.failures = 0;
        wasThere = true;
        await followPieces(options, place, (question) =>
          session.request<LogsTailResult>("logs.tail", question, { timeoutMs }),
        );
      });
    } catch (error) {
      if (signal.aborted) return;
      if (!wasThere || !(canComeBack(error) || isLost(error))) throw error;
      if (place.failures === 0) {
        output.notice(`Connection lost: ${error.message}. Waiting for the Gateway …`);
      }
      place.failures += 1;
      const ceilingMs = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** place.failures);
      // oxlint-disable-next-line no-await-in-loop
      await pause(Math.random() * ceilingMs, signal);
    }
  }
}

/** Piece by piece from any source, until the signal comes. */
export async function followPieces(
  { output, intervalMs, signal }: Pick<FollowOptions, "output" | "intervalMs" | "signal">,
  place: { question: LogQuestion },
  ask: AskForLog,
): Promise<void> {
  while (!signal.aborted) {
    // Each question begins where the last answer ended.
    // oxlint-disable-next-line no-await-in-loop
    const piece = await untilAborted(ask(place.question), signal);
    if (piece === undefined) return;
    if (piece.lines.length > 0 || piece.cursor !== place.question.cursor) output.piece(piece);
    place.question = { ...place.question, cursor: piece.cursor };
    // oxlint-disable-next-line no-await-in-loop
    if (!isFull(piece, place.question)) await pause(intervalMs, signal);
  }
}

/** Whether the limits of the question ended the piece, so that more lines are probably there already. */
function isFull({ lines, skippedBytes = 0 }: LogsTailResult, { limit, maxBytes }: LogQuestion) {
  const bytes = lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, skippedBytes);
  // A line is never cut, so that a full piece may lack the length of one.
  return lines.length >= limit || bytes >= maxBytes / 2;
}

/** Whether the same connection may work again: nobody answered, rather than somebody said no. */
export function canComeBack(error: unknown): error is CliError {
  return error instanceof CliError && error.type === "gateway_transport_error";
}

/** Whether the connection had ended already when the next question was asked. */
function isLost(error: unknown): error is CliError {
  return error instanceof CliError && error.fields["code"] === "CLOSED";
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const gone = Promise.withResolvers<undefined>();
  const onAbort = (): void => gone.resolve(undefined);
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  return Promise.race([work, gone.promise]).finally(() =>
    signal.removeEventListener("abort", onAbort),
  );
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end, { once: true });
    if (signal.aborted) end();
  });
}
