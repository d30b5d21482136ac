import type { ConfigIssue } from "@openclaw/config";

/** One line for each thing that is wrong with a config file. */
export function configProblems(issues: readonly ConfigIssue[]): string[] {
  return issues.map(
    ({ path, message, nearest }) =>
      `- ${path}: ${message}${nearest === undefined ? "" : ` (did you mean ${nearest}?)`}`,
  );
}
