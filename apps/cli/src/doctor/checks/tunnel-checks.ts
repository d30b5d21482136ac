import { auditTunnelService, type Leftover, type TunnelFinding } from "@openclaw/service";
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
  return tunnels.flatMap(({ service, path }) => {
    if (service === undefined) return [];
    const others = tunnels.flatMap((other) => other.service ?? []);
    return auditTunnelService(service, { others }).map(
      ({ code, level, explanation, cure }): DoctorFinding => ({
        code: codeOf(code),
        severity: level === "broken" ? "error" : "warn",
        title: level === "broken" ? "A tunnel cannot work as it is" : "A tunnel can fail unseen",
        evidence: [path, explanation],
        fix: `In that file: ${cure} Or have one made that is right: ${facts.context.commandLine("tunnel install --replace-leftovers")}`,
      }),
    );
  });
}

function tunnelsOf(leftovers: readonly Leftover[]): Leftover[] {
  return leftovers.filter(({ kind }) => kind === "tunnel");
}
