import { validateParams } from "@openclaw/protocol";
import type { z } from "zod";
import { CommandError } from "./errors.ts";

/** What a running command knows of its invocation. */
export interface CommandContext {
  /**
   * Aborted when the deadline passes, the caller cancels, or the node closes; `reason` is the
   * {@link CommandError} to fail with. A command that goes on regardless is given up after a while.
   */
  readonly signal: AbortSignal;
  /**
   * Sends live output to the callers that asked for it. Longer texts are cut into pieces of at most
   * 16 384 characters, never within a surrogate pair.
   *
   * @returns false if the text was dropped, because the link is too slow or the caller does not listen
   */
  progress(chunk: string): boolean;
  /** What the caller sends while the command runs: JSON texts, in order. Ends with the invocation. */
  readonly input: AsyncIterable<string>;
  /** Sends a `node.event` to the Gateway; dropped while there is no connection. */
  emit(event: string, payload: unknown): void;
  /** Epoch milliseconds. */
  readonly deadlineAtMs: number;
  readonly invokeId: string;
  /** The caller's key; the command runs at most once for it. */
  readonly idempotencyKey: string;
}

/** Options of {@link defineCommand}. */
export interface CommandDefinition<Params extends z.ZodType, Result> {
  /** The name that callers use, such as `camera.snap`. */
  name: string;
  /** Checks and shapes the params; absent params are offered to it as `undefined` and as `{}`. */
  params: Params;
  /** Checks the result too. @default not checked */
  result?: z.ZodType<Result>;
  /** The capability that the node declares for it. @default the part of the name before the first dot */
  cap?: string;
  /**
   * Members of the params that may differ between two requests with the same idempotency key, such
   * as an id that the Gateway puts in. @default none
   */
  volatileParams?: readonly string[];
  /** Does the work. The returned value goes to the caller as JSON; `undefined` is an empty answer. */
  run(params: z.output<Params>, context: CommandContext): Promise<Result> | Result;
}

/** Params that have passed their check, ready to run once. */
export type PreparedCall =
  | { readonly ok: true; run(context: CommandContext): Promise<unknown> }
  | { readonly ok: false; readonly error: CommandError };

/** A command of a node, as {@link defineCommand} makes it. */
export interface NodeCommand {
  readonly name: string;
  readonly cap: string;
  readonly volatileParams: readonly string[];
  /** Checks params (`undefined` when there are none) before anything is recorded or started. */
  prepare(params: unknown): PreparedCall;
}

/**
 * Defines a command whose params are checked against a zod schema before it runs.
 *
 * @throws {TypeError} if the name is empty
 */
export function defineCommand<Params extends z.ZodType, Result>(
  definition: CommandDefinition<Params, Result>,
): NodeCommand {
  const { name, params: schema, result: resultSchema } = definition;
  if (name === "") throw new TypeError("a command needs a name");
  return {
    name,
    cap: definition.cap ?? name.split(".", 1)[0] ?? name,
    volatileParams: definition.volatileParams ?? [],
    prepare(params) {
      let checked = validateParams(schema, params);
      if (!checked.ok && params === undefined) {
        checked = validateParams(schema, {});
        if (!checked.ok) return { ok: false, error: paramsRequired() };
      }
      if (!checked.ok) {
        const message = `invalid ${name} params: ${checked.detail}`;
        return { ok: false, error: new CommandError("INVALID_REQUEST", message) };
      }
      const { value } = checked;
      return {
        ok: true,
        run: async (context) => {
          const result = await definition.run(value, context);
          return resultSchema === undefined ? result : checkResult(name, resultSchema, result);
        },
      };
    },
  };
}

function checkResult(name: string, schema: z.ZodType, result: unknown): unknown {
  const checked = validateParams(schema, result);
  if (checked.ok) return checked.value;
  throw new CommandError("UNAVAILABLE", `invalid ${name} result: ${checked.detail}`);
}

/** In the words of published nodes. */
function paramsRequired(): CommandError {
  return new CommandError("INVALID_REQUEST", "Error: INVALID_REQUEST: paramsJSON required");
}
