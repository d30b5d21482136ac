import type { Outcome, StepReport } from "./checklist.ts";

const SHOWN: Readonly<Record<Outcome, string>> = {
  passed: "ok",
  failed: "FAILED",
  published: "PUBLISHED",
  skipped: "skipped",
};

/** How many lines of a program's output a report shows. */
const MAX_OUTPUT_LINES = 40;

/** One line of progress. */
export function formatStep({ half, name, outcome, durationMs }: StepReport): string {
  return `${SHOWN[outcome].padEnd(9)}  ${half.padEnd(6)}  ${seconds(durationMs).padStart(7)}  ${name}`;
}

/** All steps as a table, and after it what did not pass, with the output that belongs to it. */
export function formatReport(reports: readonly StepReport[]): string {
  const head = `${"".padEnd(9)}  ${"at".padEnd(6)}  ${"took".padStart(7)}  step`;
  const lines = [head, "-".repeat(72), ...reports.map(formatStep)];
  for (const report of reports) {
    if (report.outcome === "passed") continue;
    lines.push("", `${SHOWN[report.outcome]}: ${report.name}`, `  ${report.message ?? ""}`);
    const output = report.output?.trimEnd().split("\n") ?? [];
    lines.push(...output.slice(-MAX_OUTPUT_LINES).map((line) => `  | ${line}`));
  }
  lines.push("", summary(reports));
  return lines.join("\n");
}

function summary(reports: readonly StepReport[]): string {
  const count = (outcome: Outcome): number =>
    reports.filter((report) => report.outcome === outcome).length;
  const totalMs = reports.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const parts = [`${count("passed")} of ${reports.length} steps passed in ${seconds(totalMs)}`];
  if (count("failed") > 0) parts.push(`${count("failed")} failed`);
  if (count("published") > 0) parts.push(`${count("published")} failed on the published side`);
  if (count("skipped") > 0) parts.push(`${count("skipped")} could not be taken`);
  return parts.join("; ");
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
