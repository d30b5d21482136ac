import { safeText } from "@openclaw/app-kit";
import type { Style } from "../output/style.ts";
import { type DoctorGroup, type DoctorSeverity, GROUPS } from "./finding.ts";
import type { DoctorReport, ReportedCheck } from "./report.ts";

const MARKS: Readonly<Record<DoctorSeverity, string>> = { error: "✗", warn: "!", info: "·" };

/** The report as a person reads it. */
export function doctorText(report: DoctorReport, style: Style): string {
  const lines = [style.bold("Doctor"), summaryLine(report)];
  for (const group of GROUPS) {
    const checks = report.checks.filter((check) => check.group === group);
    if (checks.length > 0) lines.push("", ...groupLines(group, checks, style));
  }
  return lines.join("\n");
}

function groupLines(group: DoctorGroup, checks: readonly ReportedCheck[], style: Style): string[] {
  return [
    style.bold(group),
    ...checks.flatMap((check) => [
      `  ${headLine(check, style)}`,
      ...(check.fixed === true ? [] : check.evidence.map((line) => `      ${safeText(line)}`)),
      ...endLines(check).map((line) => `      ${line}`),
    ]),
  ];
}

function headLine({ code, severity, title, fixed }: ReportedCheck, style: Style): string {
  const mark = fixed === true ? style.good("✓") : paint(severity, style)(MARKS[severity]);
  return `${mark} ${safeText(title)}  ${style.dim(code)}`;
}

function endLines({ fix, fixed, did, undo, failure }: ReportedCheck): string[] {
  return [
    ...(did === undefined ? [] : [`Done: ${safeText(did)}`]),
    ...(undo === undefined ? [] : [`Undo: ${safeText(undo)}`]),
    ...(failure === undefined ? [] : [`Not done: ${safeText(failure)}`]),
    ...(fixed === true ? [] : [`Fix: ${safeText(fix)}`]),
  ];
}

function summaryLine({ summary }: DoctorReport): string {
  const { error, warn, info, fixed, looked } = summary;
  const parts = [
    count(error, "error"),
    count(warn, "warning"),
    count(info, "note"),
    fixed === 0 ? "" : `${fixed} fixed`,
  ].filter((part) => part !== "");
  if (parts.length === 0) return `Everything is well (${count(looked, "check")}).`;
  return `${parts.join(", ")} (${count(looked, "check")}).`;
}

function count(number: number, noun: string): string {
  if (number === 0) return "";
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function paint(severity: DoctorSeverity, style: Style): (text: string) => string {
  if (severity === "error") return style.bad;
  return severity === "warn" ? style.warn : style.dim;
}
