import type { PreparedCall } from "../define-command.ts";
import { CommandError } from "../errors.ts";
import { createInputQueue, type InputQueue } from "./input-queue.ts";
import { errorOutcome, successOutcome, toCommandError, type OutcomeText } from "./outcome.ts";
import type { ProgressSender } from "./progress-sender.ts";

/** Time that a command has to stop after its signal is aborted, before it is given up. */
export const STOP_GRACE_MS = 10_000;

/** One command that runs, or is about to. */
export interface Invocation {
  readonly key: string;
  readonly fingerprint: string;
  readonly command: string;
  /** Invoke ids that wait for the outcome; a joined or repeated request adds its own. */
  readonly ids: Set<string>;
  readonly input: InputQueue;
  readonly progress: ProgressSender;
  /** Stops the work; the first reason counts. */
  abort(reason: CommandError): void;
  /** Runs the command. Settles once it has ended or was given up; never rejects. */
  run(): Promise<OutcomeText>;
}

export interface InvocationOptions {
  key: string;
  fingerprint: string;
  command: string;
  invokeId: string;
  timeoutMs: number;
  call: Extract<PreparedCall, { ok: true }>;
  progress: ProgressSender;
  emit(event: string, payload: unknown): void;
  now: () => number;
}

/** The clock starts here, before anything is recorded: the caller's budget covers all of it. */
export function createInvocation(options: InvocationOptions): Invocation {
  const { key, fingerprint, command, invokeId, timeoutMs, call, progress, emit, now } = options;
  const controller = new AbortController();
  const input = createInputQueue();
  const deadlineAtMs = now() + timeoutMs;
  const deadline = setTimeout(() => {
    abort(new CommandError("TIMEOUT", `${command} did not finish within ${timeoutMs} ms`));
  }, timeoutMs);

  function abort(reason: CommandError): void {
    clearTimeout(deadline);
    if (!controller.signal.aborted) controller.abort(reason);
  }

  async function execute(): Promise<OutcomeText> {
    const { signal } = controller;
    try {
      signal.throwIfAborted();
      const result = await call.run({
        signal,
        progress: (chunk) => progress.send(chunk),
        input,
        emit,
        deadlineAtMs,
        invokeId,
        idempotencyKey: key,
      });
      return successOutcome(result);
    } catch (thrown) {
      return errorOutcome(toCommandError(thrown));
    }
  }

  return {
    key,
    fingerprint,
    command,
    ids: new Set([invokeId]),
    input,
    progress,
    abort,
    async run() {
      const givenUp = givenUpAfterAbort(controller.signal, command);
      try {
        return await Promise.race([execute(), givenUp.outcome]);
      } finally {
        givenUp.cancel();
        clearTimeout(deadline);
        input.end();
      }
    },
  };
}

/** The outcome of a command that does not stop when it is told to. */
function givenUpAfterAbort(
  signal: AbortSignal,
  command: string,
): { outcome: Promise<OutcomeText>; cancel(): void } {
  const { promise, resolve } = Promise.withResolvers<OutcomeText>();
  let grace: NodeJS.Timeout | undefined;
  const begin = (): void => {
    grace = setTimeout(() => {
      const { code, message } = toCommandError(signal.reason);
      resolve(errorOutcome({ code, message: `${message}; ${command} has not stopped yet` }));
    }, STOP_GRACE_MS);
  };
  if (signal.aborted) begin();
  else signal.addEventListener("abort", begin, { once: true });
  return {
    outcome: promise,
    cancel() {
      clearTimeout(grace);
      signal.removeEventListener("abort", begin);
    },
  };
}
