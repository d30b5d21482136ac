import { hostname } from "node:os";
import { join } from "node:path";
import { ExposureError, type GatewayCertificate, loadGatewayCertificate } from "@openclaw/exposure";
import type { StartPlan, TlsPlan } from "./start-plan.ts";
import { CONFIG_EXIT, type StartRefusal } from "./start-refusal.ts";

/** Where a Gateway keeps a certificate of its own making. */
export function tlsDirectory(stateDir: string): string {
  return join(stateDir, "gateway", "tls");
}

/** The certificate of the plan, made if it may be; or why there is none. */
export async function startTls(
  tls: TlsPlan,
  plan: Pick<StartPlan, "hosts" | "optionalHosts">,
  stateDir: string,
): Promise<{ certificate: GatewayCertificate } | { refusal: StartRefusal }> {
  try {
    const certificate = await loadGatewayCertificate({
      directory: tlsDirectory(stateDir),
      ...tls,
      names: [hostname(), "localhost", ...plan.hosts, ...plan.optionalHosts],
    });
    return { certificate };
  } catch (error) {
    if (!(error instanceof ExposureError)) throw error;
    const hints = error.hint === undefined ? [] : [error.hint];
    return {
      refusal: {
        id: "tls",
        message: `gateway.tls: ${error.message}`,
        hints,
        exitCode: CONFIG_EXIT,
      },
    };
  }
}
