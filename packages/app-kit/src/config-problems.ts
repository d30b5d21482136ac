import type { ConfigIssue } from "@openclaw/config";

/** One line for each thing that is wrong with a config file. */
export function configProblems(issues: readonly ConfigIssue[]): string[] {
  // The message names the nearest key itself.
  return issues.map(({ path, message }) => `- ${path}: ${message}`);
}
