import { chooseGateway } from "../gateway/choose-gateway.ts";
import { probeGateway } from "../gateway/probe-gateway.ts";
import { CliError } from "../errors.ts";
import type { CommandContext } from "../program/command-context.ts";
import { auditText, fixText } from "../security/audit-view.ts";
import { finding, type Finding, summarise } from "../security/finding.ts";
import { fixFindings } from "../security/fix-findings.ts";
import { gatherFacts } from "../security/gather-facts.ts";
import { runAudit, sorted } from "../security/run-audit.ts";

const PROBE_TIMEOUT_MS = 5_000;

/** What a live look at the configured Gateway gave. */
interface DeepProbe {
  readonly attempted: boolean;
  readonly url: string | null;
  readonly ok: boolean;
  readonly error: string | null;
}

/** `openclaw security audit`: always exit 0, since findings are data. */
export async function run(context: CommandContext): Promise<number> {
  const isFixing = context.flag("fix");
  const before = await gatherFacts(context);
  const fix = isFixing ? await fixFindings(before) : undefined;
  const facts = isFixing ? await gatherFacts(context) : before;
  const deep = context.flag("deep") ? await look(context) : undefined;
  const findings = sorted([...runAudit(facts), ...probeFindings(deep)]);

  const report = {
    ts: Date.now(),
    summary: summarise(findings),
    findings,
    ...(deep === undefined ? {} : { deep: { gateway: deep } }),
  };
  context.answer(fix === undefined ? report : { fix, report }, () => {
    const parts = [auditText(findings, context.style)];
    if (fix !== undefined) parts.unshift(fixText(fix, context.style), "");
    const hints = hintsOf(context, findings);
    if (hints !== "") parts.push("", context.style.dim(hints));
    return parts.join("\n");
  });
  return 0;
}

async function look(context: CommandContext): Promise<DeepProbe> {
  try {
    const chosen = await chooseGateway(context, { fallBackToLocal: true });
    const probe = await probeGateway(context, chosen, { timeoutMs: PROBE_TIMEOUT_MS });
    const { url } = chosen.target;
    return { attempted: true, url, ok: probe.ok, error: probe.error ?? null };
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    return { attempted: false, url: null, ok: false, error: error.message };
  }
}

function probeFindings(deep: DeepProbe | undefined): Finding[] {
  if (deep === undefined || deep.ok) return [];
  return [
    finding(
      "gateway.probe_failed",
      "warn",
      "The Gateway could not be looked at",
      `${deep.url ?? "no target"}: ${deep.error ?? "no answer"}`,
      "Run openclaw doctor connect to see where the way ends.",
    ),
  ];
}

function hintsOf(context: CommandContext, findings: readonly Finding[]): string {
  const hints = [];
  if (!context.flag("deep")) {
    hints.push(`${context.commandLine("security audit --deep")} asks the Gateway too.`);
  }
  const canFix = findings.some(({ checkId }) => /^fs\.|redact_off|open_groups/u.test(checkId));
  if (!context.flag("fix") && canFix) {
    hints.push(`${context.commandLine("security audit --fix")} mends file modes, logs and groups.`);
  }
  return hints.join("\n");
}
