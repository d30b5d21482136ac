import { ExposureError } from "../exposure-error.ts";
import { isObject } from "./json-in-noise.ts";
import { safeOutput } from "./safe-output.ts";

/** What Tailscale says about this machine. */
export interface TailscaleStatus {
  readonly isInstalled: boolean;
  /** Absolute path of the program. */
  readonly program?: string;
  /** Of the daemon, such as `1.96.4`; of the program when no daemon answers. */
  readonly version?: string;
  /** `Running`, `Starting`, `NeedsLogin`, `NeedsMachineAuth`, `Stopped`, `NoState`, or what comes one day. */
  readonly state?: string;
  /** The machine's name in the tailnet, without a dot at its end; absent while MagicDNS is off. */
  readonly dnsName?: string;
  /** The machine's addresses in the tailnet. */
  readonly addresses: readonly string[];
  /** The tailnet's name. */
  readonly tailnet?: string;
  /** Whether the tailnet issues certificates for this machine; absent where the version does not tell. */
  readonly isHttpsEnabled?: boolean;
  /** Whether the tailnet allows Funnel to this machine; absent where the version does not tell. */
  readonly isFunnelEnabled?: boolean;
  /** Warnings of the daemon, for people. */
  readonly health: readonly string[];
  /** Where a person logs this machine in, when it is not. */
  readonly loginUrl?: string;
  /** Why nothing more is known, or why nothing can be served as it is now. */
  readonly problem?: ExposureError;
}

const MAX_WARNINGS = 20;

/** Reads the document of `tailscale status --json`. */
export function readStatus(
  document: Readonly<Record<string, unknown>>,
): Omit<TailscaleStatus, "isInstalled" | "program"> {
  const self = objectIn(document["Self"]);
  const tailnet = objectIn(document["CurrentTailnet"]);
  const state = textIn(document["BackendState"]);
  const dnsName = textIn(self["DNSName"])?.replace(/\.$/u, "");
  const addresses = textsIn(self["TailscaleIPs"] ?? document["TailscaleIPs"]);
  const loginUrl = textIn(document["AuthURL"]);
  const known = {
    ...optional("version", textIn(document["Version"])?.split("-")[0]),
    ...optional("state", state),
    ...optional("dnsName", isHostName(dnsName) ? dnsName : undefined),
    addresses,
    ...optional("tailnet", textIn(tailnet["Name"])),
    ...capabilities(self, document),
    health: textsIn(document["Health"]).slice(0, MAX_WARNINGS).map(safeOutput),
    ...optional("loginUrl", loginUrl?.startsWith("https://") ? loginUrl : undefined),
  };
  return { ...known, ...optional("problem", problemOf(known)) };
}

/** States that pass by themselves, for instance after the machine has started. */
export function isOnItsWay(state: string | undefined): boolean {
  return state === "Starting" || state === "NoState";
}

/** Why nothing can be served in this state; undefined when it can. */
function problemOf({
  state,
  dnsName,
  loginUrl,
}: Pick<TailscaleStatus, "state" | "dnsName" | "loginUrl">): ExposureError | undefined {
  switch (state) {
    case "Running":
      return dnsName === undefined
        ? new ExposureError("TAILSCALE_NO_DNS_NAME", "this machine has no name in the tailnet", {
            hint: "Turn on MagicDNS and HTTPS Certificates at https://login.tailscale.com/admin/dns.",
          })
        : undefined;
    case "NeedsLogin":
      return new ExposureError(
        "TAILSCALE_NEEDS_LOGIN",
        "this machine is not logged in to a tailnet",
        {
          hint: loginUrl === undefined ? "Log in: sudo tailscale up." : `Log in at ${loginUrl}.`,
          details: loginUrl === undefined ? {} : { link: loginUrl },
        },
      );
    case "NeedsMachineAuth":
      return new ExposureError(
        "TAILSCALE_NOT_APPROVED",
        "this machine waits for the approval of a tailnet admin",
        { hint: "Approve it at https://login.tailscale.com/admin/machines." },
      );
    case "Starting":
    case "NoState":
      return new ExposureError("TAILSCALE_STARTING", "Tailscale is starting on this machine", {
        hint: "Wait, then look again: tailscale status.",
      });
    default:
      return new ExposureError(
        "TAILSCALE_NOT_RUNNING",
        `Tailscale is not connected on this machine: ${state ?? "no state"}`,
        { hint: "Connect it: sudo tailscale up." },
      );
  }
}

/** Today a map, formerly a list. */
function capabilities(
  self: Readonly<Record<string, unknown>>,
  document: Readonly<Record<string, unknown>>,
): Pick<TailscaleStatus, "isHttpsEnabled" | "isFunnelEnabled"> {
  const names = isObject(self["CapMap"])
    ? Object.keys(self["CapMap"])
    : textsIn(self["Capabilities"]);
  if (names.length === 0 && !("CertDomains" in document)) return {};
  return {
    isHttpsEnabled: names.includes("https") || textsIn(document["CertDomains"]).length > 0,
    isFunnelEnabled: names.includes("funnel"),
  };
}

/** It becomes part of URLs and commands, so it is held to what a name may be. */
function isHostName(name: string | undefined): name is string {
  return name !== undefined && /^[a-z\d](?:[a-z\d.-]{0,251}[a-z\d])?$/iu.test(name);
}

function objectIn(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}

function textIn(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
}

function optional<K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } {
  // A computed key has the type string; this one is K.
  return (value === undefined ? {} : { [key]: value }) as { [key in K]?: V };
}
