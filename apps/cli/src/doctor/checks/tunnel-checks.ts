import { auditTunnelService, type Leftover, type TunnelFinding } from "@openclaw/service";
import { textAt } from "../../security/audit-facts.ts";
import { findBrokenTunnelUnits } from "../connect/tunnel-units.ts";
import type { Check, DoctorFacts } from "../facts.ts";
import type { DoctorFinding } from "../finding.ts";
import { leftoverFinding } from "./service-checks.ts";

const AUDIT_CODES = [
  "tunnel-forks-under-supervision",
  "tunnel-without-exit-on-forward-failure",
  "tunnel-without-keepalive",
  "tunnel-may-prompt",
  "tunnel-port-taken-twice",
  "tunnel-kills-port-holder",
] as const satisfies readonly TunnelFinding["code"][];

/** Tunnels that somebody made by a tutorial, and the mistakes that the tutorials spread. */
export const tunnelChecks: readonly Check[] = [
  { group: "Tunnel", codes: ["tunnel.leftover"], run: leftoverTunnels },
  { group: "Tunnel", codes: AUDIT_CODES.map(codeOf), run: tunnelMistakes },
];

function codeOf(auditCode: TunnelFinding["code"]): string {
  return `tunnel.${auditCode.replace(/^tunnel-/u, "").replaceAll("-", "_")}`;
}

async function leftoverTunnels(facts: DoctorFacts): Promise<DoctorFinding[]> {
  const services = await facts.services();
  if (services === undefined) return [];
  return tunnelsOf(services.leftovers).map((leftover) => leftoverFinding(services, leftover));
}

async function tunnelMistakes(facts: DoctorFacts): Promise<DoctorFinding[]> {
  const tunnels = tunnelsOf((await facts.services())?.leftovers ?? []);
  const known = tunnels.flatMap(({ service, path }) => {
    if (service === undefined) return [];
    const others = tunnels.flatMap((other) => other.service ?? []);
    return auditTunnelService(service, { others }).map((mistake) =>
      mistakeFinding(facts, path, mistake),
    );
  });
  const units = await findBrokenTunnelUnits(facts.context.io.homedir, tunnelPort(facts));
  const own = units.filter(({ path }) => !tunnels.some((tunnel) => tunnel.path === path));
  return [...known, ...own.map(({ path, finding }) => mistakeFinding(facts, path, finding))];
}

/** The port of this machine behind which a tunnel would lead to the Gateway. */
function tunnelPort({ config, port }: DoctorFacts): number {
  const url = textAt(config, "gateway.remote.url") ?? "";
  const named = URL.canParse(url) ? Number(new URL(url).port) : 0;
  return named === 0 ? port : named;
}

function mistakeFinding(
  { context }: DoctorFacts,
  path: string,
  { code, level, explanation, cure }: TunnelFinding,
): DoctorFinding {
  return {
    code: codeOf(code),
    severity: level === "broken" ? "error" : "warn",
    title: level === "broken" ? "A tunnel cannot work as it is" : "A tunnel can fail unseen",
    evidence: [path, explanation],
    fix: `In that file: ${cure} Or have one made that is right: ${context.commandLine("tunnel install --replace-leftovers")}`,
  };
}

function tunnelsOf(leftovers: readonly Leftover[]): Leftover[] {
  return leftovers.filter(({ kind }) => kind === "tunnel");
}
