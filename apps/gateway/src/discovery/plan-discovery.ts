import { type Env, isEnvSwitchOn, type OpenClawConfig } from "@openclaw/config";
import { type GatewayFacts, hostLabel } from "@openclaw/discovery";

/** What decides whether and how a Gateway is announced. */
export interface DiscoveryQuestion {
  readonly config: Pick<OpenClawConfig, "discovery">;
  readonly env: Env;
  readonly profile: string | undefined;
  /** Addresses that the Gateway listens on; `0.0.0.0` and `::` are all of the machine's. */
  readonly hosts: readonly string[];
  readonly port: number;
  readonly tls?: { readonly fingerprint: string } | undefined;
  /** MagicDNS name, where it is known without asking. */
  readonly tailnetDns?: string | undefined;
  /** The program that a login over SSH would call. */
  readonly cliPath?: string | undefined;
  /** What `os.hostname()` says. */
  readonly machineName: string;
  /** Addresses of the machine that are not loopback. */
  readonly machineAddresses: readonly string[];
  readonly isContainer: boolean;
}

/** Whether a Gateway is announced, and why not. */
export type DiscoveryPlan =
  | { readonly announced: true; readonly facts: GatewayFacts }
  | { readonly announced: false; readonly reason: string };

const DEFAULT_SSH_PORT = 22;
const DEFAULT_HOST_LABEL = "openclaw";

/**
 * Decides whether the local network hears of a Gateway.
 *
 * - `discovery.mdns.mode` off or `OPENCLAW_DISABLE_BONJOUR=1`: never
 * - listening on loopback only: no, since nobody could connect; but in mode `full`, which tells of the
 *   way in by SSH, yes
 * - mode not set: only on a machine at home, that is one with private addresses and no public one, and
 *   not in a container. `OPENCLAW_DISABLE_BONJOUR=0` or a mode in the config overrides that
 */
export function planDiscovery(question: DiscoveryQuestion): DiscoveryPlan {
  const { config, env, hosts, machineAddresses } = question;
  const configured = config.discovery?.mdns?.mode;
  if (isEnvSwitchOn(env, "OPENCLAW_DISABLE_BONJOUR")) return not("OPENCLAW_DISABLE_BONJOUR is set");
  if (configured === "off") return not("discovery.mdns.mode is off");

  const addresses = listenedAddresses(hosts, machineAddresses);
  const lan = addresses.filter((address) => isPrivate(address));
  if (lan.length === 0 && configured !== "full") {
    return not("the Gateway listens on no address of a local network");
  }
  const isForced = configured !== undefined || env["OPENCLAW_DISABLE_BONJOUR"]?.trim() === "0";
  if (!isForced) {
    if (question.isContainer) return not("this is a container; discovery.mdns.mode is not set");
    if (machineAddresses.some((address) => isPublic(address))) {
      return not("this machine has a public address; discovery.mdns.mode is not set");
    }
  }
  return { announced: true, facts: factsOf(question, configured === "full", addresses) };
}

function factsOf(question: DiscoveryQuestion, isFull: boolean, listened: string[]): GatewayFacts {
  const { env, profile, port, tls, machineName } = question;
  const machine = machineName.replace(/\.local\.?$/i, "").trim() || "Gateway";
  return {
    displayName: profile === undefined ? machine : `${machine} ${profile}`,
    hostLabel: hostLabel(given(env, "OPENCLAW_MDNS_HOSTNAME"), DEFAULT_HOST_LABEL),
    port,
    // Nothing else of it: what is handed in may be the certificate with its key.
    tls: tls === undefined ? undefined : { fingerprint: tls.fingerprint },
    tailnetDns: given(env, "OPENCLAW_TAILNET_DNS") ?? question.tailnetDns,
    // Of a Gateway on loopback, the addresses lead to the SSH server of its machine.
    addresses: listened.length === 0 ? question.machineAddresses : listened,
    ssh: isFull
      ? {
          port: sshPort(given(env, "OPENCLAW_SSH_PORT")),
          cliPath: given(env, "OPENCLAW_CLI_PATH") ?? question.cliPath,
        }
      : undefined,
  };
}

function listenedAddresses(hosts: readonly string[], machine: readonly string[]): string[] {
  return [
    ...new Set(
      hosts.flatMap((host) => {
        if (host === "0.0.0.0") return machine.filter((address) => !address.includes(":"));
        if (host === "::") return machine;
        return isLoopback(host) ? [] : [host];
      }),
    ),
  ];
}

function isLoopback(address: string): boolean {
  return address === "::1" || address === "localhost" || address.startsWith("127.");
}

/** An address of a network at home or in an office: RFC 1918, link-local, unique local. */
function isPrivate(address: string): boolean {
  // The tailnet's prefix is of that kind, and multicast does not go there.
  if (/^fd7a:115c:a1e0:/i.test(address)) return false;
  return /^(10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|fe[89ab][0-9a-f]:|f[cd][0-9a-f]{2}:)/i.test(
    address,
  );
}

/** Neither private nor of a tailnet or a provider's network (100.64.0.0/10). */
function isPublic(address: string): boolean {
  if (isLoopback(address) || isPrivate(address)) return false;
  return !/^(100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|fd7a:115c:a1e0:)/i.test(address);
}

function sshPort(text: string | undefined): number {
  const port = Number(text);
  return Number.isInteger(port) && port > 0 && port <= 65_535 ? port : DEFAULT_SSH_PORT;
}

function given(env: Env, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === undefined || value === "" ? undefined : value;
}

function not(reason: string): DiscoveryPlan {
  return { announced: false, reason };
}
