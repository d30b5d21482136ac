import type { AuditFacts } from "./audit-facts.ts";
import { channelChecks } from "./checks/channel-checks.ts";
import { fileChecks } from "./checks/file-checks.ts";
import { gatewayChecks } from "./checks/gateway-checks.ts";
import { modelChecks } from "./checks/model-checks.ts";
import { programChecks } from "./checks/program-checks.ts";
import { finding, type Finding, type Severity } from "./finding.ts";

const ORDER: readonly Severity[] = ["critical", "warn", "info"];

/** Everything that the checks have to say, the worst first. */
export function runAudit(facts: AuditFacts): Finding[] {
  // What an unreadable config says is not known, and nothing is claimed about it.
  if (facts.problem !== undefined) {
    return sorted([unreadable(facts), ...fileChecks.flatMap((check) => check(facts))]);
  }
  return sorted(
    [channelChecks, gatewayChecks, programChecks, modelChecks, fileChecks]
      .flat()
      .flatMap((check) => check(facts)),
  );
}

/** The worst first; beside each other what came in that order. */
export function sorted(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
}

function unreadable({ paths, problem }: AuditFacts): Finding {
  return finding(
    "config.unreadable",
    "critical",
    "The config file cannot be read",
    `${paths.configPath}: ${problem}. Only files were looked at.`,
    "Run openclaw doctor.",
  );
}
