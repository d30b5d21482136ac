import {
  createTailscale,
  ExposureError,
  findExposure,
  type FoundExposure,
  readGatewayCertificate,
} from "@openclaw/exposure";
import { certificatePlace } from "@openclaw/app-kit";
import { exposureRecordPath } from "@openclaw/gateway/inspect";
import { shellWord } from "../../config/shell-word.ts";
import { at, textAt } from "../../security/audit-facts.ts";
import type { Check, DoctorFacts } from "../facts.ts";
import type { DoctorFinding } from "../finding.ts";

const SOON_MS = 21 * 86_400_000;

/** Tailscale and TLS: whether what the config promises is there. */
export const exposureChecks: readonly Check[] = [
  {
    group: "Tailscale",
    codes: ["tailscale.leftover_route", "tailscale.record_unreadable"],
    run: leftoverRoute,
  },
  { group: "Tailscale", codes: ["tailscale.not_installed", "tailscale.not_ready"], run: readiness },
  { group: "Tailscale", codes: ["tailscale.route_gone", "tailscale.route_changed"], run: route },
  { group: "TLS", codes: ["tls.unusable", "tls.expired", "tls.expiring"], run: certificate },
];

function isOn({ config, mode }: DoctorFacts): boolean {
  const tailscale = textAt(config, "gateway.tailscale.mode") ?? "off";
  return mode === "local" && tailscale !== "off";
}

/** Reads a file and runs no program: off means off. */
async function leftoverRoute(facts: DoctorFacts): Promise<DoctorFinding[]> {
  const recordPath = exposureRecordPath(facts.context.paths.stateDir);
  const found = await readRecord(recordPath);
  if (found instanceof ExposureError) {
    return [
      {
        code: "tailscale.record_unreadable",
        severity: "error",
        title: "The record of the Tailscale route cannot be read",
        evidence: [found.message],
        fix: `See what is served (tailscale serve status), then: mv ${shellWord(recordPath)} ${shellWord(`${recordPath}.bak`)}`,
      },
    ];
  }
  // With the mode on, the next start adopts it.
  if (found === undefined || found.isHeld || isOn(facts)) return [];
  const { mode, host, target } = found.route;
  return [
    {
      code: "tailscale.leftover_route",
      severity: "warn",
      title: "A Gateway that is gone has left its Tailscale route behind",
      evidence: [`${mode} https://${host}/ to ${target}, by process ${found.pid}`],
      fix: facts.context.commandLine("doctor --fix --only tailscale"),
      repair: {
        question: `Take https://${host}/ off?`,
        async apply() {
          const { outcome } = await createTailscale({ env: facts.env }).repair({ recordPath });
          return {
            did: `Took the route off (${outcome}).`,
            undo: `tailscale ${mode} --bg ${target}`,
          };
        },
      },
    },
  ];
}

async function readRecord(path: string): Promise<FoundExposure | ExposureError | undefined> {
  try {
    return await findExposure(path);
  } catch (error) {
    if (error instanceof ExposureError) return error;
    throw error;
  }
}

async function readiness(facts: DoctorFacts): Promise<DoctorFinding[]> {
  if (!isOn(facts)) return [];
  const status = await createTailscale({ env: facts.env }).status();
  const { problem } = status;
  if (problem === undefined) return [];
  return [
    {
      code: status.isInstalled ? "tailscale.not_ready" : "tailscale.not_installed",
      severity: "error",
      title: status.isInstalled
        ? "Tailscale cannot serve the Gateway now"
        : "gateway.tailscale.mode is on, and Tailscale is not installed",
      evidence: [
        `${problem.message} (${problem.code})`,
        ...(status.state === undefined ? [] : [`state: ${status.state}`]),
      ],
      fix: problem.hint ?? facts.context.commandLine("config set gateway.tailscale.mode off"),
    },
  ];
}

/** Asked only while a Gateway runs that has opened one. */
async function route(facts: DoctorFacts): Promise<DoctorFinding[]> {
  if (!isOn(facts)) return [];
  const found = await readRecord(exposureRecordPath(facts.context.paths.stateDir));
  if (found === undefined || found instanceof ExposureError || !found.isHeld) return [];
  const { state, found: other } = await createTailscale({ env: facts.env }).check(found.route);
  if (state !== "gone" && state !== "changed") return [];
  const { mode, host, target } = found.route;
  return [
    {
      code: `tailscale.route_${state}`,
      severity: "error",
      title:
        state === "gone"
          ? "Somebody has taken the Gateway's Tailscale route off"
          : "Tailscale serves something else where the Gateway should be",
      evidence: [`${mode} https://${host}/ to ${target}${other === undefined ? "" : `: ${other}`}`],
      fix: facts.context.commandLine("gateway restart"),
    },
  ];
}

async function certificate(facts: DoctorFacts): Promise<DoctorFinding[]> {
  const { config, context, mode } = facts;
  if (mode !== "local" || at(config, "gateway.tls.enabled") !== true) return [];
  const renew = context.commandLine("gateway certificate --renew");
  try {
    const found = await readGatewayCertificate(certificatePlace(context.paths, config));
    // The first start makes one.
    if (found === undefined) return [];
    const { notAfterMs, certPath, isGenerated } = found;
    const leftMs = notAfterMs - Date.now();
    if (leftMs > SOON_MS) return [];
    const isOver = leftMs < 0;
    return [
      {
        code: isOver ? "tls.expired" : "tls.expiring",
        severity: isOver ? "error" : "warn",
        title: isOver ? "The certificate has expired" : "The certificate expires soon",
        evidence: [`${certPath} is valid until ${new Date(notAfterMs).toISOString()}`],
        fix: isGenerated ? renew : `Renew it with whoever issued it, under the same path.`,
      },
    ];
  } catch (error) {
    if (!(error instanceof ExposureError)) throw error;
    return [
      {
        code: "tls.unusable",
        severity: "error",
        title: "The Gateway's certificate cannot be used",
        evidence: [`${error.message} (${error.code})`],
        fix: error.hint ?? renew,
      },
    ];
  }
}
