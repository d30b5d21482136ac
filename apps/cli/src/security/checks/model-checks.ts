import { asObject } from "@openclaw/app-kit";
import { at, type AuditFacts, type Check, listAt, textAt } from "../audit-facts.ts";
import { finding, type Finding } from "../finding.ts";

/** Families that predate training against instructions hidden in what a model reads. */
const LEGACY =
  /(?:^|[/:])(?:gpt-3\.5|gpt-4(?:-(?:0|1106|32k|turbo|vision)|$)|claude-(?:1|2|3(?:-|$)|instant)|text-davinci|gemini-1)/iu;
/** Small members of present families: quick, and easier to talk into things. */
const WEAK = /(?:mini|nano|haiku|flash|lite|small|tiny)(?:[-:@.\d]|$)/iu;
/** Parameters in billions, as names of open models give them. */
const PARAMETERS = /(?:^|[-_/:])(\d+(?:\.\d+)?)b(?:[-_:.@]|$)/iu;
const SMALL_PARAMETERS = 300;

/** What the agents' models can withstand. */
export const modelChecks: readonly Check[] = [models];

function models({ config }: AuditFacts): Finding[] {
  const used = usedModels(config);
  const findings: Finding[] = [];
  const legacy = used.filter(({ name }) => LEGACY.test(name));
  const weak = used.filter(({ name }) => !LEGACY.test(name) && WEAK.test(name));
  const small = used.filter(({ name }) => (parametersOf(name) ?? Infinity) <= SMALL_PARAMETERS);
  if (legacy.length > 0) {
    findings.push(
      finding(
        "models.legacy",
        "warn",
        "Old models are in use",
        list(legacy),
        "Take a present one for agents that read what strangers write.",
      ),
    );
  }
  if (weak.length > 0) {
    findings.push(
      finding(
        "models.weak_tier",
        "warn",
        "Models below the recommended tier are in use",
        list(weak),
        "Take a stronger one for agents that run tools.",
      ),
    );
  }
  if (small.length > 0) {
    const isBoxed = textAt(config, "agents.defaults.sandbox.mode") === "all";
    const denied = [
      ...listAt(config, "tools.deny"),
      ...listAt(config, "agents.defaults.tools.deny"),
    ];
    const reachesOut =
      at(config, "browser.enabled") === true && !denied.some((name) => /browser|web/u.test(name));
    findings.push(
      finding(
        "models.small_params",
        isBoxed && !reachesOut ? "info" : "critical",
        "Small models are in use",
        `${list(small)}: at most ${SMALL_PARAMETERS} billion parameters; ${isBoxed ? "sandboxed" : "not sandboxed"}.`,
        'Set agents.defaults.sandbox.mode to "all", and deny web and browser tools.',
      ),
    );
  }
  return findings;
}

/** A model and the key that names it. */
interface UsedModel {
  readonly path: string;
  readonly name: string;
}

function usedModels(config: AuditFacts["config"]): UsedModel[] {
  const agents = at(config, "agents.list");
  const places: [string, unknown][] = [
    ["agents.defaults.model", at(config, "agents.defaults.model")],
    ["agents.defaults.imageModel", at(config, "agents.defaults.imageModel")],
    ...(Array.isArray(agents) ? agents : []).map((agent: unknown, index): [string, unknown] => [
      `agents.list[${index}].model`,
      asObject(agent)["model"],
    ]),
  ];
  return places.flatMap(([path, value]) => {
    if (typeof value === "string") return [{ path, name: value }];
    const { primary, fallbacks } = asObject(value);
    const names = [primary, ...(Array.isArray(fallbacks) ? fallbacks : [])];
    return names
      .filter((name): name is string => typeof name === "string")
      .map((name) => ({ path, name }));
  });
}

function parametersOf(name: string): number | undefined {
  const found = PARAMETERS.exec(name)?.[1];
  return found === undefined ? undefined : Number(found);
}

function list(used: readonly UsedModel[]): string {
  return used.map(({ path, name }) => `${name} (${path})`).join(", ");
}
