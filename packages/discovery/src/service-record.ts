import { fitLabel } from "./dns-label.ts";

/** What a Gateway is found under, without `_` and `._tcp`. */
export const SERVICE_NAME = "openclaw-gw";
/** The full name of the service. */
export const SERVICE_TYPE = `_${SERVICE_NAME}._tcp`;
/** The only domain of multicast DNS. */
export const LOCAL_DOMAIN = "local.";
/** Ends the instance name of a Gateway. */
export const NAME_SUFFIX = " (OpenClaw)";

/** One string of a TXT record has at most this many bytes, its key included. */
const MAX_TXT_BYTES = 255;

/** What is said of a Gateway on the local network. Every word of it can be read by everybody there. */
export interface GatewayFacts {
  /** The machine, and the profile where there is one. */
  readonly displayName: string;
  /** One label; the host is announced as `<label>.local`. */
  readonly hostLabel: string;
  readonly port: number;
  readonly tls?: { readonly fingerprint?: string | undefined } | undefined;
  readonly canvasPort?: number | undefined;
  readonly tailnetDns?: string | undefined;
  /** How to come in by SSH; said only on request. */
  readonly ssh?: { readonly port: number; readonly cliPath?: string | undefined } | undefined;
  /** Only these of the machine's addresses are told. @default all of them */
  readonly addresses?: readonly string[] | undefined;
}

/** What is put on the network. */
export interface ServiceRecord {
  /** The instance, one label. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly txt: Readonly<Record<string, string>>;
}

/** How many of a name were taken already, counted from 0. */
export interface TakenNames {
  readonly names: number;
  readonly hosts: number;
}

/**
 * The record of a Gateway. Where a name is taken, the next has a number: `box (2) (OpenClaw)` and
 * `openclaw-2.local`.
 */
export function serviceRecord(facts: GatewayFacts, taken: TakenNames): ServiceRecord {
  const name = fitLabel(
    // A dot would end the label.
    facts.displayName.replaceAll(".", "-"),
    taken.names === 0 ? NAME_SUFFIX : ` (${taken.names + 1})${NAME_SUFFIX}`,
  );
  const host = `${fitLabel(facts.hostLabel, taken.hosts === 0 ? "" : `-${taken.hosts + 1}`)}.local`;
  const { tls, canvasPort, tailnetDns, ssh } = facts;
  const txt: Record<string, string | number | undefined> = {
    role: "gateway",
    transport: "gateway",
    gatewayPort: facts.port,
    lanHost: host,
    displayName: name.slice(0, -NAME_SUFFIX.length),
    gatewayTls: tls === undefined ? undefined : 1,
    gatewayTlsSha256: tls?.fingerprint,
    canvasPort,
    tailnetDns,
    sshPort: ssh?.port,
    cliPath: ssh?.cliPath,
  };
  return { name, host, port: facts.port, txt: textsThatFit(txt) };
}

function textsThatFit(
  txt: Readonly<Record<string, string | number | undefined>>,
): Record<string, string> {
  const fitting = Object.entries(txt).flatMap(([key, value]) =>
    value !== undefined && Buffer.byteLength(`${key}=${value}`) <= MAX_TXT_BYTES
      ? [[key, String(value)] as const]
      : [],
  );
  return Object.fromEntries(fitting);
}
