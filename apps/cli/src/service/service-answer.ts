import { safeText } from "@openclaw/app-kit";
import { ServiceError, type ServiceStatus } from "@openclaw/service";
import { CliError } from "../errors.ts";
import type { CommandContext } from "../program/command-context.ts";

export type ServiceAction = "install" | "uninstall" | "start" | "stop" | "restart";

/** What a service command tells: the same facts as JSON and for people. */
export interface ServiceAnswer {
  readonly ok: boolean;
  readonly action: ServiceAction;
  /** `installed`, `already-installed`, `started`, `not-loaded`, … */
  readonly result: string;
  readonly service: ServiceFacts;
  /** For people, one line each. */
  readonly lines: readonly string[];
  readonly warnings?: readonly string[];
  /** What to do next. */
  readonly hints?: readonly string[];
  /** Further members of the document. */
  readonly more?: Readonly<Record<string, unknown>>;
}

export type ServiceFacts = Pick<ServiceStatus, "label" | "loaded" | "loadedText" | "notLoadedText">;

export function factsOf({ label, loaded, loadedText, notLoadedText }: ServiceStatus): ServiceFacts {
  return { label, loaded, loadedText, notLoadedText };
}

/** Prints the answer; returns the exit code. */
export function answerService(context: CommandContext, answer: ServiceAnswer): number {
  const { ok, action, result, service, lines, warnings = [], hints = [], more = {} } = answer;
  const document = {
    ok,
    action,
    result,
    service,
    ...(action === "install" || action === "uninstall" || warnings.length > 0 ? { warnings } : {}),
    ...(hints.length > 0 ? { hints } : {}),
    ...more,
  };
  for (const warning of context.json ? [] : warnings) {
    context.say(context.style.warn(`Warning: ${safeText(warning)}`));
  }
  const text = [...lines, ...hints.map((hint) => context.style.dim(`  ${hint}`))];
  context.answer(document, () => text.map((line) => `${line}\n`).join(""));
  return ok ? 0 : 1;
}

/**
 * Runs a service command. A failure of the supervisor is an answer of its own shape:
 * `{ok:false, action, error, hints}`, and exit code 1.
 */
export async function asServiceAnswer(
  context: CommandContext,
  action: ServiceAction,
  work: () => Promise<number>,
): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ServiceError) {
      return failService(context, action, {
        message: error.message,
        hints: error.hints,
        code: error.code,
      });
    }
    if (error instanceof CliError && error.fields["kind"] !== "usage") {
      return failService(context, action, { message: error.message, hints: error.hints });
    }
    throw error;
  }
}

export interface ServiceFailure {
  readonly message: string;
  readonly hints: readonly string[];
  /** Code of a `ServiceError`. */
  readonly code?: string;
}

export function failService(
  context: CommandContext,
  action: ServiceAction,
  { message, hints, code }: ServiceFailure,
): number {
  if (context.json) {
    const document = { ok: false, action, error: message, ...(code ? { code } : {}), hints };
    context.answer(document, () => "");
    return 1;
  }
  context.say(`${context.style.bad("Error:")} ${safeText(message)}`);
  for (const hint of hints) context.say(`  ${safeText(hint)}`);
  return 1;
}
