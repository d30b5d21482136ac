import { readSeenService, type SeenService } from "../beacon.ts";
import type { GatewayFacts } from "../service-record.ts";

/** On which network multicast DNS is spoken. */
export interface NetworkOptions {
  /** UDP port. @default 5353 */
  readonly port?: number | undefined;
  /** IPv4 address of the interface to speak on. @default that of the default route; all are heard */
  readonly interface?: string | undefined;
}

/** What the helper is told; the first message says what it is for. */
export type HelperTask =
  | { readonly kind: "announce"; readonly facts: GatewayFacts; readonly network: NetworkOptions }
  | { readonly kind: "browse"; readonly network: NetworkOptions }
  /** Asks for a sign of life, and to announce again where the addresses of the machine changed. */
  | { readonly kind: "check" }
  /** Asks to say goodbye and to end. */
  | { readonly kind: "withdraw" };

/** What the helper reports. */
export type HelperReport =
  | { readonly kind: "announced"; readonly name: string; readonly host: string }
  /** A name that somebody else has. */
  | { readonly kind: "conflict"; readonly name: string }
  | { readonly kind: "browsing" }
  | { readonly kind: "seen"; readonly service: SeenService }
  | { readonly kind: "checked" }
  /** Something that it goes on without, such as a packet that nobody can read. */
  | { readonly kind: "problem"; readonly message: string };

/** Longer texts are cut off: they are for a log line. */
const MAX_TEXT_CHARS = 500;

/**
 * Takes what came from a helper for what it may be; undefined for anything else. The helper reads
 * what strangers send, so nothing that it says is taken as it is.
 */
export function readReport(value: unknown): HelperReport | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { kind, name, host, message, service } = value as Partial<Record<string, unknown>>;
  switch (kind) {
    case "announced":
      return { kind, name: shortText(name), host: shortText(host) };
    case "conflict":
      return { kind, name: shortText(name) };
    case "problem":
      return { kind, message: shortText(message) };
    case "browsing":
    case "checked":
      return { kind };
    case "seen": {
      const seen = readSeenService(service);
      return seen === undefined ? undefined : { kind, service: seen };
    }
    default:
      return undefined;
  }
}

function shortText(value: unknown): string {
  return typeof value === "string" ? value.slice(0, MAX_TEXT_CHARS) : "";
}
