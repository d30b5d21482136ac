/** How bad it is. */
export type Severity = "critical" | "warn" | "info";

/** One thing that the audit has to say. */
export interface Finding {
  /** Stable name of the check, for scripts. */
  readonly checkId: string;
  readonly severity: Severity;
  readonly title: string;
  /** What was found, and where. Never a secret. */
  readonly detail: string;
  /** What to do about it. */
  readonly remediation?: string;
}

/** How many there are of each. */
export type AuditSummary = Readonly<Record<Severity, number>>;

export function summarise(findings: readonly Finding[]): AuditSummary {
  const count = (severity: Severity): number =>
    findings.filter((finding) => finding.severity === severity).length;
  return { critical: count("critical"), warn: count("warn"), info: count("info") };
}

/** A finding, in the order in which it reads. */
export function finding(
  checkId: string,
  severity: Severity,
  title: string,
  detail: string,
  remediation?: string,
): Finding {
  return {
    checkId,
    severity,
    title,
    detail,
    ...(remediation === undefined ? {} : { remediation }),
  };
}
