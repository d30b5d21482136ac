import { safeText } from "@openclaw/app-kit";
import type { CommandContext } from "../program/command-context.ts";

/** One step of a walk, as `--json` shows it. */
export interface Step {
  readonly name: string;
  readonly ok: boolean;
  /** False for what comes after the first failure. */
  readonly reached: boolean;
  /** Since the step before. 0 for one that the same exchange has decided. */
  readonly durationMs: number;
  /** What was found, for people. */
  readonly detail?: string;
  readonly error?: string;
  readonly hint?: string;
  /** Of the failure, for scripts. */
  readonly code?: string;
  /** Of a command on the far side. */
  readonly exitCode?: number;
  /** What was seen that the failure follows from, by name; for scripts too. */
  readonly evidence?: Evidence;
  /** What to type to end the failure. */
  readonly fix?: string;
}

/** Facts beside a failure; never a secret. */
export type Evidence = Readonly<Record<string, unknown>>;

/** A step by its name, and what it shows in words. */
export type StepTitles = Readonly<Record<string, string>>;

export interface StepFailureOptions extends ErrorOptions {
  /** The step that failed, where one exchange decides several. @default the first of them */
  at?: string;
  hint?: string | undefined;
  code?: string | undefined;
  exitCode?: number;
  evidence?: Evidence | undefined;
  fix?: string | undefined;
}

/** Ends a walk: a finding, not a defect. */
export class StepFailure extends Error {
  override readonly name = "StepFailure";
  readonly at: string | undefined;
  readonly hint: string | undefined;
  readonly code: string | undefined;
  readonly exitCode: number | undefined;
  readonly evidence: Evidence | undefined;
  readonly fix: string | undefined;

  constructor(message: string, options: StepFailureOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.at = options.at;
    this.hint = options.hint;
    this.code = options.code;
    this.exitCode = options.exitCode;
    this.evidence = options.evidence;
    this.fix = options.fix;
  }
}

/** Steps in a row, each shown as it ends, up to the first that fails. */
export interface Walk {
  /**
   * Does what decides one step or several.
   *
   * @throws {StepFailure} as `work` does, once it is shown
   */
  take<T>(names: readonly string[], work: () => Promise<Taken<T>>): Promise<T>;
  /** Leaves a step out that has no meaning here. */
  skip(name: string, why: string): void;
  /** All steps, those that were not reached among them, which are shown now. */
  finish(): readonly Step[];
}

export interface Taken<T> {
  readonly value: T;
  /** Of the first step. */
  readonly detail?: string | undefined;
}

export function createWalk(context: CommandContext, titles: StepTitles): Walk {
  const { io, json, style } = context;
  const steps: Step[] = [];

  function end(step: Step): void {
    steps.push(step);
    if (json) return;
    const title = titles[step.name] ?? step.name;
    const mark = step.ok ? style.good("✓") : step.reached ? style.bad("✗") : style.dim("–");
    const detail = step.detail === undefined ? "" : `: ${safeText(step.detail)}`;
    const time = step.durationMs === 0 ? "" : style.dim(` (${step.durationMs} ms)`);
    const rest = step.reached ? "" : style.dim(" (not reached)");
    io.stdout.write(`${mark} ${title}${detail}${time}${rest}\n`);
    if (step.error !== undefined) io.stdout.write(`  ${safeText(step.error)}\n`);
    if (step.hint !== undefined) {
      for (const line of step.hint.split("\n")) io.stdout.write(`  ${safeText(line)}\n`);
    }
    for (const [name, value] of Object.entries(step.evidence ?? {})) {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      io.stdout.write(style.dim(`  ${name}: ${safeText(text)}`) + "\n");
    }
    if (step.fix !== undefined) io.stdout.write(`  Fix: ${style.good(safeText(step.fix))}\n`);
  }

  function passed(name: string, durationMs: number, detail: string | undefined): void {
    const more = detail === undefined ? {} : { detail };
    end({ name, ok: true, reached: true, durationMs, ...more });
  }

  function failed(name: string, durationMs: number, failure: StepFailure): void {
    const { message: error, hint, code, exitCode, evidence, fix } = failure;
    end({
      name,
      ok: false,
      reached: true,
      durationMs,
      ...(exitCode === undefined ? {} : { exitCode }),
      error,
      ...(code === undefined ? {} : { code }),
      ...(hint === undefined ? {} : { hint }),
      ...(evidence === undefined ? {} : { evidence }),
      ...(fix === undefined ? {} : { fix }),
    });
  }

  return {
    async take(names, work) {
      const startedAt = performance.now();
      const elapsed = (): number => Math.max(1, Math.round(performance.now() - startedAt));
      try {
        const { value, detail } = await work();
        for (const [index, name] of names.entries()) {
          passed(name, index === 0 ? elapsed() : 0, index === 0 ? detail : undefined);
        }
        return value;
      } catch (error) {
        if (!(error instanceof StepFailure)) throw error;
        const at = Math.max(0, names.indexOf(error.at ?? ""));
        for (const [index, name] of names.slice(0, at).entries()) {
          passed(name, index === 0 ? elapsed() : 0, undefined);
        }
        failed(names[at] ?? "", at === 0 ? elapsed() : 0, error);
        throw error;
      }
    },
    skip: (name, why) => passed(name, 0, why),
    finish() {
      const taken = new Set(steps.map(({ name }) => name));
      for (const name of Object.keys(titles)) {
        if (!taken.has(name)) end({ name, ok: false, reached: false, durationMs: 0 });
      }
      return steps;
    },
  };
}
