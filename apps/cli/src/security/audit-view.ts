import { safeText } from "@openclaw/app-kit";
import type { Style } from "../output/style.ts";
import { type Finding, type Severity, summarise } from "./finding.ts";
import type { FixReport } from "./fix-findings.ts";

const HEADINGS: readonly [Severity, string][] = [
  ["critical", "Critical"],
  ["warn", "Warn"],
  ["info", "Info"],
];

/** The report as a person reads it. */
export function auditText(findings: readonly Finding[], style: Style): string {
  const { critical, warn, info } = summarise(findings);
  const lines = [
    style.bold("Security audit"),
    `${critical} critical, ${warn} ${warn === 1 ? "warning" : "warnings"}, ${info} for your information`,
  ];
  for (const [severity, heading] of HEADINGS) {
    const group = findings.filter((finding) => finding.severity === severity);
    if (group.length === 0) continue;
    lines.push("", paint(severity, style)(heading));
    for (const { checkId, title, detail, remediation } of group) {
      lines.push(`${checkId}  ${safeText(title)}`, `  ${safeText(detail)}`);
      if (remediation !== undefined) lines.push(`  Fix: ${safeText(remediation)}`);
    }
  }
  return lines.join("\n");
}

/** What `--fix` did. */
export function fixText(report: FixReport, style: Style): string {
  const lines = [style.bold("Fixed")];
  for (const change of report.changes) lines.push(`  ${safeText(change)}`);
  for (const { path, mode, ok, skipped } of report.actions) {
    const state = skipped === undefined ? (ok ? "" : " failed") : ` skipped: ${skipped}`;
    lines.push(`  chmod ${mode} ${safeText(path)}${state}`);
  }
  if (lines.length === 1) lines.push("  nothing to mend");
  if (report.backupPath !== undefined) {
    lines.push(`  Undo: cp ${safeText(report.backupPath)} ${safeText(report.configPath)}`);
  }
  for (const error of report.errors) lines.push(style.bad(`  ${safeText(error)}`));
  return lines.join("\n");
}

function paint(severity: Severity, style: Style): (text: string) => string {
  if (severity === "critical") return style.bad;
  return severity === "warn" ? style.warn : style.dim;
}
