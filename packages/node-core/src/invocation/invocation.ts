import type { CommandContext, PreparedCall } from "../define-command.ts";
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
  readonly progress: ProgressSender;
  /** Hands a piece of input to the command. @returns false if it was dropped */
  pushInput(seq: number, text: string): boolean;
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
  const deadlineAtMs = now() + timeoutMs;
  const deadline = setTimeout(() => {
    abort(new CommandError("TIMEOUT", `${command} did not finish within ${timeoutMs} ms`));
  }, timeoutMs);
  const ids = new Set([invokeId]);
  // Made when first asked for: most commands end before they look at either.
  let controller: AbortController | undefined;
  let input: InputQueue | undefined;
  let abortReason: CommandError | undefined;
  let isEnded = false;
  let grace: NodeJS.Timeout | undefined;
  let giveUp: ((outcome: OutcomeText) => void) | undefined;

  function abort(reason: CommandError): void {
    if (abortReason !== undefined || isEnded) return;
    abortReason = reason;
    clearTimeout(deadline);
    controller?.abort(reason);
    waitForStop();
  }

  function waitForStop(): void {
    if (abortReason === undefined || giveUp === undefined) return;
    const { code, message } = abortReason;
    grace = setTimeout(() => {
      giveUp?.(errorOutcome({ code, message: `${message}; ${command} has not stopped yet` }));
    }, STOP_GRACE_MS);
  }

  function openInput(): InputQueue {
    input ??= createInputQueue();
    if (isEnded) input.end();
    return input;
  }

  const context: CommandContext = {
    get signal() {
      controller ??= new AbortController();
      if (abortReason !== undefined) controller.abort(abortReason);
      return controller.signal;
    },
    get input() {
      return openInput();
    },
    progress: (chunk) => progress.send(chunk),
    emit,
    deadlineAtMs,
    invokeId,
    idempotencyKey: key,
  };

  async function execute(): Promise<OutcomeText> {
    try {
      if (abortReason !== undefined) throw abortReason;
      return successOutcome(await call.run(context));
    } catch (thrown) {
      return errorOutcome(toCommandError(thrown));
    }
  }

  return {
    key,
    fingerprint,
    command,
    ids,
    progress,
    abort,
    pushInput: (seq, text) => openInput().push(seq, text),
    async run() {
      const outcome = await new Promise<OutcomeText>((resolve) => {
        giveUp = resolve;
        waitForStop();
        void execute().then(resolve);
      });
      isEnded = true;
      clearTimeout(deadline);
      clearTimeout(grace);
      input?.end();
      return outcome;
    },
  };
}
