import type { Figure, Target, Unit } from "./figure.ts";

/** Lays figures out as a table for a terminal of 100 columns. */
export function formatTable(figures: readonly Figure[]): string {
  const header = ["figure", "subject", "median", "baseline", "ratio", "target", ""];
  const rows = figures.map((figure) => [
    figure.name,
    figure.subject,
    formatValue(figure.value, figure.unit),
    figure.baseline
      ? `${formatValue(figure.baseline.value, figure.unit)} ${figure.baseline.name}`
      : "",
    figure.ratio === undefined ? "" : `${figure.ratio.toFixed(2)} x`,
    figure.target ? formatTarget(figure.target, figure.unit) : "",
    figure.isMet === undefined ? "" : figure.isMet ? "ok" : "MISSED",
  ]);
  const widths = header.map((_, column) =>
    Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [
    line(header),
    widths.map((width) => "-".repeat(width)).join("  "),
    ...rows.map(line),
  ].join("\n");
}

function formatValue(value: number, unit: Unit): string {
  if (Number.isNaN(value)) return "-";
  const digits = unit === "/s" || value >= 1000 ? 0 : value >= 100 ? 1 : value >= 10 ? 2 : 3;
  return `${value.toFixed(digits)} ${unit}`;
}

function formatTarget({ of, atMost, atLeast }: Target, unit: Unit): string {
  const bound = atMost === undefined ? `≥ ${atLeast}` : `≤ ${atMost}`;
  return of === "ratio" ? `${bound} x` : `${bound} ${unit}`;
}
