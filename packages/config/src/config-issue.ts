/** What is wrong in a config file, for code to branch on. */
export type ConfigIssueKind = "syntax" | "unreadable" | "include" | "unknown-key" | "invalid-value";

/** One problem of a config file. */
export interface ConfigIssue {
  kind: ConfigIssueKind;
  /** Dotted path such as `gateway.port`; `<root>` for the file as a whole. */
  path: string;
  /** What was found and what is allowed. Holds no secret. */
  message: string;
  /** Known key nearest to an unknown one, as a dotted path. */
  nearest?: string;
  /** The file that it is in: the config file, or one that this includes. */
  file?: string;
  /** Position in that file, counted from 1. */
  line?: number;
  column?: number;
}

/** Path of issues that concern the file as a whole. */
export const ROOT_PATH = "<root>";
