import {
  type DoctorFinding,
  type DoctorGroup,
  type DoctorSeverity,
  SEVERITIES,
} from "./finding.ts";

/** A finding with the heading that it belongs under. */
export interface PlacedFinding extends DoctorFinding {
  readonly group: DoctorGroup;
}

/** What became of the repair of a finding. */
export interface Attempt {
  readonly finding: PlacedFinding;
  readonly did?: string;
  readonly undo?: string;
  /** Why it was not done. */
  readonly failure?: string;
  /** The flags were not about it: it counts as not tried. */
  readonly isUnasked?: boolean;
}

/** One finding in the report. */
export interface ReportedCheck {
  readonly code: string;
  readonly group: DoctorGroup;
  readonly severity: DoctorSeverity;
  readonly title: string;
  readonly evidence: readonly string[];
  readonly fix: string;
  /** Whether `--fix` does it. */
  readonly fixable: boolean;
  /** Whether it is cured now; absent where nothing was tried. */
  readonly fixed?: boolean;
  readonly did?: string;
  readonly undo?: string;
  readonly failure?: string;
}

/** What `--json` prints. */
export interface DoctorReport {
  /** Nothing is left that is worse than a note. */
  readonly ok: boolean;
  readonly checks: readonly ReportedCheck[];
  readonly summary: Readonly<Record<DoctorSeverity | "fixed" | "looked", number>>;
}

/** What is left, and what was mended, the worst first. */
export function makeReport(
  left: readonly PlacedFinding[],
  attempts: readonly Attempt[],
  looked: number,
): DoctorReport {
  const isLeft = (finding: PlacedFinding): boolean => left.some((one) => isSame(one, finding));
  const cured = attempts.filter(({ finding }) => !isLeft(finding));
  const checks = [
    ...cured.map((attempt) => ({ ...shown(attempt.finding), fixed: true, ...outcome(attempt) })),
    ...left.map((finding) => {
      const attempt = attempts.findLast((one) => isSame(one.finding, finding));
      return { ...shown(finding), ...(attempt && { fixed: false, ...outcome(attempt) }) };
    }),
  ];
  const count = (severity: DoctorSeverity): number =>
    left.filter((finding) => finding.severity === severity).length;
  const summary = {
    error: count("error"),
    warn: count("warn"),
    info: count("info"),
    fixed: cured.length,
    looked,
  };
  const rank = ({ severity }: ReportedCheck): number => SEVERITIES.indexOf(severity);
  return {
    ok: summary.error + summary.warn === 0,
    checks: checks.toSorted((a, b) => rank(a) - rank(b)),
    summary,
  };
}

/** Two looks at one thing: the evidence says which one of several it is. */
function isSame(one: DoctorFinding, other: DoctorFinding): boolean {
  return one.code === other.code && one.evidence.join("\n") === other.evidence.join("\n");
}

function shown(finding: PlacedFinding): ReportedCheck {
  const { code, group, severity, title, evidence, fix, repair } = finding;
  return { code, group, severity, title, evidence, fix, fixable: repair !== undefined };
}

function outcome({ did, undo, failure }: Attempt): Pick<ReportedCheck, "did" | "undo" | "failure"> {
  return {
    ...(did === undefined ? {} : { did }),
    ...(undo === undefined ? {} : { undo }),
    ...(failure === undefined ? {} : { failure }),
  };
}
