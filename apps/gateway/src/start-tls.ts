import { hostname } from "node:os";
import type { CertificatePlace } from "@openclaw/app-kit";
import {
  ExposureError,
  type GatewayCertificate,
  lanAddresses,
  loadGatewayCertificate,
  tailnetAddresses,
} from "@openclaw/exposure";
import type { StartPlan, TlsPlan } from "./start-plan.ts";
import { CONFIG_EXIT, type StartRefusal } from "./start-refusal.ts";

/** The certificate of the plan, made if it may be; or why there is none. */
export async function startTls(
  { autoGenerate }: TlsPlan,
  plan: Pick<StartPlan, "hosts">,
  place: CertificatePlace,
): Promise<{ certificate: GatewayCertificate } | { refusal: StartRefusal }> {
  const { ipv4, ipv6 } = tailnetAddresses();
  const addresses = [ipv4, ipv6, ...lanAddresses()].filter((address) => address !== undefined);
  try {
    const certificate = await loadGatewayCertificate({
      ...place,
      autoGenerate,
      names: [...new Set([hostname(), ...plan.hosts, ...addresses])],
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
