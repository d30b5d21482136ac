import { existsSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "@openclaw/app-kit";
import { undoStateMigration } from "@openclaw/config";
import { CliError, usageError } from "../errors.ts";
import type { CommandContext } from "../program/command-context.ts";
import { checks } from "./all-checks.ts";
import { type Consent, consentOf } from "./consent.ts";
import { type Check, gatherDoctorFacts, withPathsOfNow } from "./facts.ts";
import { SEVERITIES } from "./finding.ts";
import { type Attempt, makeReport, type PlacedFinding } from "./report.ts";
import { chooseChecks, isWanted } from "./selection.ts";
import { doctorText } from "./view.ts";

/** The one code that belongs to no check. */
const FAILED_CHECK = "doctor.check_failed";
/** Flags that ask for a change. */
const CHANGING = ["fix", "repair", "yes", "force", "generate-gateway-token"];
/** More rounds than there are repairs that others build on. */
const MOST_ROUNDS = 6;

/** `openclaw doctor`: what is wrong here, and where that is wanted its repair. */
export async function runDoctor(context: CommandContext): Promise<number> {
  if (context.flag("undo-migration")) return undoMigration(context);
  const isLint = context.flag("lint");
  const wish = CHANGING.find((name) => context.flag(name));
  if (isLint && wish !== undefined) {
    throw usageError(`--lint changes nothing, and cannot be combined with --${wish}.`);
  }
  const selected = chooseChecks(checks, context);
  const consent = await consentOf(context);
  const { attempts, context: later } =
    consent === undefined
      ? { attempts: [], context }
      : await repairAll(context, { selected, consent });
  const { findings, hasCrashed } = await lookAround(later, selected);
  const report = makeReport(findings, attempts, selected.flatMap(({ codes }) => codes).length);
  context.answer(report, () => {
    const text = doctorText(report, context.style);
    const canFix = report.checks.some(({ fixable, fixed }) => fixable && fixed !== true);
    if (!canFix || consent !== undefined || isLint) return text;
    const offer = `${context.commandLine("doctor --fix")} makes the changes that can be taken back.`;
    return `${text}\n\n${context.style.dim(offer)}`;
  });
  if (hasCrashed) return 1;
  return isLint && findings.length > 0 ? 1 : 0;
}

interface Repairing {
  readonly selected: readonly Check[];
  readonly consent: Consent;
}

/**
 * Repairs first what the rest depends on, and looks again after each of that; then the rest.
 *
 * @returns the context too, since files may be elsewhere afterwards
 */
async function repairAll(
  given: CommandContext,
  { selected, consent }: Repairing,
): Promise<{ attempts: Attempt[]; context: CommandContext }> {
  const attempts: Attempt[] = [];
  let context = given;
  const isNew = ({ code, evidence }: PlacedFinding): boolean =>
    !attempts.some(
      ({ finding }) => finding.code === code && finding.evidence.join("\n") === evidence.join("\n"),
    );
  const foundation = selected.filter(({ isFoundation }) => isFoundation === true);
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    // Each round looks at what the one before has left.
    // oxlint-disable-next-line no-await-in-loop
    const { findings } = await lookAround(context, foundation);
    const next = findings.find((finding) => finding.repair !== undefined && isNew(finding));
    if (next === undefined) break;
    // oxlint-disable-next-line no-await-in-loop
    attempts.push(await repair(next, consent));
    context = withPathsOfNow(context);
  }
  const { findings } = await lookAround(context, selected);
  for (const finding of findings.filter(isNew)) {
    // Two at once could be in each other's way, and a person answers one question at a time.
    // oxlint-disable-next-line no-await-in-loop
    if (finding.repair !== undefined) attempts.push(await repairOnce(finding, consent, attempts));
  }
  return { attempts: attempts.filter(({ isUnasked }) => isUnasked !== true), context };
}

/** What another finding has already brought about is not done again. */
async function repairOnce(
  finding: PlacedFinding,
  consent: Consent,
  attempts: readonly Attempt[],
): Promise<Attempt> {
  const key = finding.repair?.key;
  const former =
    key === undefined ? undefined : attempts.find((one) => one.finding.repair?.key === key);
  return former === undefined ? repair(finding, consent) : { ...former, finding };
}

async function repair(finding: PlacedFinding, consent: Consent): Promise<Attempt> {
  const { repair: planned } = finding;
  if (planned === undefined) throw new Error(`${finding.code} has no repair`);
  const decision = await consent(finding, planned);
  if (decision === "unasked") return { finding, isUnasked: true };
  if (decision !== "yes") return { finding, failure: decision.objection };
  try {
    return { finding, ...(await planned.apply()) };
  } catch (error) {
    // Whatever went wrong is this finding's alone; the others are still worth mending.
    return { finding, failure: messageOf(error) };
  }
}

/** Runs the checks side by side; one that fails hides none of the others. */
async function lookAround(
  context: CommandContext,
  selected: readonly Check[],
): Promise<{ findings: PlacedFinding[]; hasCrashed: boolean }> {
  const facts = await gatherDoctorFacts(context);
  let hasCrashed = false;
  const found = await Promise.all(
    selected.map(async (check): Promise<PlacedFinding[]> => {
      const { group } = check;
      try {
        return (await check.run(facts)).map((finding) => ({ ...finding, group }));
      } catch (error) {
        hasCrashed = true;
        return [crashed(check, error)];
      }
    }),
  );
  const least = context.text("severity-min") ?? "info";
  const findings = found
    .flat()
    .filter(({ code }) => code === FAILED_CHECK || isWanted(code, context))
    .filter(({ severity }) => SEVERITIES.indexOf(severity) <= rankOf(least));
  return { findings, hasCrashed };
}

function rankOf(severity: string): number {
  return SEVERITIES.findIndex((one) => one === severity);
}

function crashed({ group, codes: [first] }: Check, error: unknown): PlacedFinding {
  return {
    group,
    code: FAILED_CHECK,
    severity: "error",
    title: "A check itself has failed",
    evidence: [`${first}: ${messageOf(error)}`],
    fix: "Report this line; the other checks were made.",
  };
}

async function undoMigration(context: CommandContext): Promise<number> {
  const recordPath = join(context.paths.stateDir, "migration.json");
  if (!existsSync(recordPath)) {
    throw new CliError("cli_error", "nothing was moved here, so there is nothing to take back.", {
      hints: [`It would stand in ${recordPath}`],
      fields: { kind: "not_found" },
    });
  }
  try {
    const lines = await undoStateMigration(recordPath);
    context.answer({ ok: true, lines }, () => lines.join("\n"));
    return 0;
  } catch (error) {
    const hint = error instanceof Error && "hint" in error ? String(error.hint) : undefined;
    throw new CliError("cli_error", messageOf(error), {
      hints: hint === undefined ? [] : [hint],
      fields: { kind: "config" },
      cause: error,
    });
  }
}
