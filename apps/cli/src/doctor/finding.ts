/** How much it matters: `error` keeps something from working, `warn` will one day, `info` is good to know. */
export type DoctorSeverity = "error" | "warn" | "info";

/** The worst first. */
export const SEVERITIES: readonly DoctorSeverity[] = ["error", "warn", "info"];

/** What a repair has done. */
export interface Repaired {
  /** One sentence in the past tense. */
  readonly did: string;
  /** The command that takes it back. */
  readonly undo: string;
}

/** A change that cures a finding and that can be taken back. */
export interface Repair {
  /** What it will do, as a question to a person. */
  readonly question: string;
  /** It replaces or removes what somebody may have made by hand: nobody does it unasked without `--force`. */
  readonly isForceful?: boolean;
  /** Only done where this option was given, or a person says so. */
  readonly needsFlag?: string;
  /** Repairs of one key are one change, which is made once. */
  readonly key?: string;
  apply(): Promise<Repaired>;
}

/** Something that is not as it should be. */
export interface DoctorFinding {
  /** Stable, for scripts; never renamed. */
  readonly code: string;
  readonly severity: DoctorSeverity;
  readonly title: string;
  /** What was seen, and where. Never a secret. */
  readonly evidence: readonly string[];
  /** The one thing to do: a command to type, or a sentence where no command does it. */
  readonly fix: string;
  readonly repair?: Repair | undefined;
}

/** Headings of the report, in its order. */
export const GROUPS = [
  "Config",
  "State",
  "Environment",
  "Service",
  "Tunnel",
  "Gateway",
  "Tailscale",
  "TLS",
  "Security",
  "Machine",
] as const;

export type DoctorGroup = (typeof GROUPS)[number];

/** Looks at one thing. */
export interface DoctorCheck<Facts> {
  readonly group: DoctorGroup;
  /** Every code that it may find. */
  readonly codes: readonly string[];
  /** Other checks depend on it: after its repair everything is looked at anew. */
  readonly isFoundation?: boolean;
  run(facts: Facts): Promise<readonly DoctorFinding[]> | readonly DoctorFinding[];
}
