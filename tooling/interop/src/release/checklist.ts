/** How a step ended. `published`: the published program is at fault, ours may be fine. */
export type Outcome = "passed" | "failed" | "published" | "skipped";

/** Whose Gateway a step was taken at. */
export type Half = "ours" | "theirs";

/** One step and how it ended. */
export interface StepReport {
  half: Half;
  name: string;
  outcome: Outcome;
  durationMs: number;
  /** Why it did not pass. */
  message?: string;
  /** What the program wrote that did not do as it should. */
  output?: string;
}

/** A published program fell over by itself; what it wrote is in {@link PublishedFault.output}. */
export class PublishedFault extends Error {
  override readonly name: string = "PublishedFault";
  readonly output: string;

  constructor(message: string, output: string) {
    super(message);
    this.output = output;
  }
}

/** A step that wants what an earlier one should have left. */
export class NothingToCheckError extends Error {
  override readonly name: string = "NothingToCheckError";
}

/** Takes steps one after the other and keeps what became of them. */
export interface Checklist {
  readonly reports: readonly StepReport[];
  /** Takes a step. Never rejects: what went wrong is in the report, and the value is missing. */
  step<T>(half: Half, name: string, take: () => Promise<T>): Promise<T | undefined>;
}

export interface ChecklistOptions {
  /** Told of each step as it ends. */
  onReport?: (report: StepReport) => void;
  /** Milliseconds of a clock that only goes forward. @default performance.now */
  now?: () => number;
}

export function createChecklist({
  onReport,
  now = () => performance.now(),
}: ChecklistOptions = {}): Checklist {
  const reports: StepReport[] = [];

  return {
    reports,
    async step(half, name, take) {
      const startedAt = now();
      const finish = (outcome: Outcome, more: Partial<StepReport> = {}): void => {
        const report = { half, name, outcome, durationMs: now() - startedAt, ...more };
        reports.push(report);
        onReport?.(report);
      };
      try {
        const value = await take();
        finish("passed");
        return value;
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        if (error instanceof PublishedFault) finish("published", { message, output: error.output });
        else if (error instanceof NothingToCheckError) finish("skipped", { message });
        else finish("failed", { message, ...outputOf(error) });
        return undefined;
      }
    },
  };
}

/** The value, or the end of a step that cannot be taken without it. */
export function need<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new NothingToCheckError(`there is no ${what}`);
  return value;
}

/** Whether everything passed. */
export function isClean(reports: readonly StepReport[]): boolean {
  return reports.length > 0 && reports.every(({ outcome }) => outcome === "passed");
}

function outputOf(error: unknown): { output?: string } {
  const output = (error as { output?: unknown } | null)?.output;
  return typeof output === "string" ? { output } : {};
}
