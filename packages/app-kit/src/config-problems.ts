import { basename } from "node:path";
import type { ConfigIssue } from "@openclaw/config";

/** One line for each thing that is wrong with a config file. */
export function configProblems(issues: readonly ConfigIssue[]): string[] {
  return issues.map((issue) => `- ${issue.path}: ${configProblem(issue)}`);
}

/** What is wrong, and where that is written. */
export function configProblem({ kind, message, file, line }: ConfigIssue): string {
  // The message names the nearest key itself, and that of a syntax error the line.
  if (file === undefined || line === undefined || kind === "syntax") return message;
  return `${message} (${basename(file)}, line ${line})`;
}
