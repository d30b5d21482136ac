import { gatherFacts } from "../../security/gather-facts.ts";
import { runAudit } from "../../security/run-audit.ts";
import type { Check, DoctorFacts } from "../facts.ts";
import type { DoctorFinding } from "../finding.ts";

/** The oldest Node that this program runs on. */
const OLDEST_NODE = [22, 13] as const;

/** What everything else stands on, and what the security audit thinks is worst. */
export const machineChecks: readonly Check[] = [
  { group: "Machine", codes: ["machine.node_version"], run: nodeVersion },
  { group: "Security", codes: ["security.critical"], run: criticalFindings },
];

function nodeVersion({ machine }: DoctorFacts): DoctorFinding[] {
  const [major = 0, minor = 0] = machine.nodeVersion.split(".").map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  const isOld = major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
  if (!isOld) return [];
  return [
    {
      code: "machine.node_version",
      severity: "error",
      title: "This Node is too old",
      evidence: [
        `Node ${machine.nodeVersion} runs; ${OLDEST_NODE.join(".")} is the oldest that will do`,
      ],
      fix: "Install the current LTS release from your package manager or https://nodejs.org, then install the services again.",
    },
  ];
}

async function criticalFindings({ context, mode }: DoctorFacts): Promise<DoctorFinding[]> {
  const critical = runAudit(await gatherFacts(context)).filter(
    ({ severity, checkId }) => severity === "critical" && isNews(checkId, mode),
  );
  if (critical.length === 0) return [];
  return [
    {
      code: "security.critical",
      severity: "warn",
      title: `The security audit has ${critical.length} critical finding${critical.length === 1 ? "" : "s"}`,
      evidence: critical.map(({ checkId, title }) => `${checkId}: ${title}`),
      fix: context.commandLine("security audit"),
    },
  ];
}

/** File modes and a missing secret have checks of their own here; where no Gateway runs, it is not to blame. */
function isNews(checkId: string, mode: string | undefined): boolean {
  if (checkId.startsWith("fs.") || checkId.endsWith("_no_auth")) return false;
  return mode === "local" || !checkId.startsWith("gateway.");
}
