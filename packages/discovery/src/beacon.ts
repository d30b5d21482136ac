import { isIPv4 } from "node:net";
import { isHostName } from "./dns-label.ts";
import { LOCAL_DOMAIN, NAME_SUFFIX } from "./service-record.ts";

/**
 * A Gateway as the network tells of it. Anybody on the network can say anything here: it is a hint
 * where to look, and nothing of it is proof. Texts may hold any character.
 */
export interface Beacon {
  readonly instanceName: string;
  readonly displayName: string;
  readonly domain: string;
  readonly host?: string;
  readonly port?: number;
  readonly addresses: readonly string[];
  readonly lanHost?: string;
  readonly tailnetDns?: string;
  readonly gatewayPort?: number;
  readonly sshPort?: number;
  readonly cliPath?: string;
  readonly role?: string;
  readonly transport?: string;
  readonly gatewayTls: boolean;
  readonly gatewayTlsFingerprintSha256?: string;
  readonly txt: Readonly<Record<string, string>>;
  /** Where it would be reached, where its names can stand in a URL. */
  readonly wsUrl?: string;
}

/** What was seen of a service, before anybody has checked it. */
export interface SeenService {
  readonly name: string;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly addresses: readonly string[];
  readonly txt: Readonly<Record<string, string>>;
}

const DEFAULT_PORT = 18_789;
/** Of each: a record that has more is nobody's Gateway. */
const MAX_TEXT_CHARS = 255;
const MAX_TXT_KEYS = 32;
const MAX_ADDRESSES = 32;

/** Takes what a helper reports for what it can be at most; undefined for anything else. */
export function readSeenService(value: unknown): SeenService | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { name, host, port, addresses, txt } = value as Partial<Record<string, unknown>>;
  if (!isShortText(name)) return undefined;
  return {
    name,
    host: isShortText(host) ? host : undefined,
    port: asPort(port),
    addresses: Array.isArray(addresses)
      ? addresses.filter((address) => isShortText(address)).slice(0, MAX_ADDRESSES)
      : [],
    txt: readTxt(txt),
  };
}

/** Reads the TXT record; what has another form than it should is left out. */
export function beaconOf({ name, host, port, addresses, txt }: SeenService): Beacon {
  const hostName = nameOf(host);
  const lanHost = nameOf(txt["lanHost"]);
  const tailnetDns = nameOf(txt["tailnetDns"]);
  const gatewayPort = asPort(txt["gatewayPort"]);
  const fingerprint = txt["gatewayTlsSha256"];
  const gatewayTls = txt["gatewayTls"] === "1";
  const urlHost = tailnetDns ?? lanHost ?? hostName;
  return {
    instanceName: name,
    displayName: txt["displayName"] ?? withoutSuffix(name),
    domain: LOCAL_DOMAIN,
    ...known({
      host: hostName,
      port,
      lanHost,
      tailnetDns,
      gatewayPort,
      sshPort: asPort(txt["sshPort"]),
      cliPath: txt["cliPath"],
      role: txt["role"],
      transport: txt["transport"],
      gatewayTlsFingerprintSha256: isFingerprint(fingerprint) ? fingerprint : undefined,
      wsUrl:
        urlHost === undefined
          ? undefined
          : `${gatewayTls ? "wss" : "ws"}://${urlHost}:${gatewayPort ?? port ?? DEFAULT_PORT}`,
    }),
    addresses,
    gatewayTls,
    txt,
  };
}

/**
 * One entry an instance at a place, sorted by name. What came first stays: a later answer only adds
 * what was missing, so that nobody changes an entry by answering again. The same name at another
 * place is another entry.
 */
export function mergeBeacons(beacons: readonly Beacon[]): Beacon[] {
  const merged = new Map<string, Beacon>();
  for (const beacon of beacons) {
    const { instanceName, host, port } = beacon;
    const key = JSON.stringify([instanceName.toLowerCase(), host?.toLowerCase(), port]);
    const first = merged.get(key);
    merged.set(
      key,
      first === undefined
        ? beacon
        : {
            ...beacon,
            ...first,
            addresses: [...new Set([...first.addresses, ...beacon.addresses])],
            txt: { ...beacon.txt, ...first.txt },
          },
    );
  }
  return [...merged.values()].toSorted((a, b) => compare(sortKey(a), sortKey(b)));
}

function sortKey({ displayName, instanceName, host, port }: Beacon): string {
  return [displayName.toLowerCase(), instanceName, host, port].join("\u0000");
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function readTxt(txt: unknown): Record<string, string> {
  if (typeof txt !== "object" || txt === null) return {};
  // Made without a prototype, since the keys are somebody else's.
  const read: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [key, value] of Object.entries(txt).slice(0, MAX_TXT_KEYS)) {
    if (isShortText(key) && isShortText(value)) read[key] = value;
  }
  return read;
}

/** A URL takes a name that ends in a number for an IPv4 address, and nearly all of them for none. */
const ENDS_IN_NUMBER = /(?:^|\.)(?:\d+|0x[\da-f]*)$/iu;

function nameOf(text: string | undefined): string | undefined {
  const name = text?.replace(/\.$/, "");
  if (name === undefined || isIPv4(name)) return name;
  return isHostName(name) && !ENDS_IN_NUMBER.test(name) ? name : undefined;
}

function asPort(value: unknown): number | undefined {
  if (typeof value === "string" && !/^\d{1,5}$/.test(value)) return undefined;
  const port = typeof value === "string" || typeof value === "number" ? Number(value) : Number.NaN;
  return Number.isInteger(port) && port > 0 && port <= 65_535 ? port : undefined;
}

function isFingerprint(text: string | undefined): text is string {
  return text !== undefined && /^(?:[0-9a-f]{2}:?){31}[0-9a-f]{2}$/iu.test(text);
}

function isShortText(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_TEXT_CHARS;
}

function withoutSuffix(name: string): string {
  return name.endsWith(NAME_SUFFIX) ? name.slice(0, -NAME_SUFFIX.length) : name;
}

type Known<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function known<T extends object>(fields: T): Known<T> {
  // Only members without a value are dropped, so the others keep their types.
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Known<T>;
}
