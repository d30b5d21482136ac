import { isIP } from "node:net";
import { GatewayStartError } from "../errors.ts";
import { isLoopback } from "../listener/address-list.ts";
import { hostName } from "../listener/host-rule.ts";
import type { PeerOrigin } from "../listener/peer-address.ts";

export type OriginVerdict = { ok: true } | { ok: false; reason: string };

/** Which pages may connect besides those that need no listing. */
export interface OriginRules {
  isListed(browserOrigin: string | undefined): boolean;
  /** Whether any page that was loaded from the name it connects to may connect. */
  allowsHostHeaderOrigin: boolean;
  /** Whether a listed page is served under this `Host`. */
  allowsHost(host: string | undefined): boolean;
}

/**
 * Reads the list of allowed origins. `*` stands for all.
 *
 * @throws {GatewayStartError} `OPTIONS_INVALID`, naming the entry
 */
export function createOriginRules(
  origins: readonly string[],
  allowsHostHeaderOrigin: boolean,
): OriginRules {
  const listed = new Set<string>();
  const hosts = new Set<string>();
  for (const [index, entry] of origins.entries()) {
    const origin = typeof entry === "string" ? entry.trim().toLowerCase().replace(/\/$/, "") : "";
    const host = /^[a-z][a-z0-9+.-]*:\/\/([^/?#@\s*]+)$/.exec(origin)?.[1];
    if (host === undefined && origin !== "*") {
      throw new GatewayStartError(
        "OPTIONS_INVALID",
        `allowedOrigins[${index}] is ${JSON.stringify(entry)}: not an origin`,
        {
          hint: "Write scheme, host and port as the browser sends them: https://claw.example:8443.",
        },
      );
    }
    listed.add(origin);
    const name = hostName(host);
    if (name !== undefined) hosts.add(name);
  }
  const allowsAll = listed.has("*");
  return {
    isListed: (origin) => origin !== undefined && (allowsAll || listed.has(origin.toLowerCase())),
    allowsHostHeaderOrigin,
    allowsHost(host) {
      const name = hostName(host);
      return name !== undefined && hosts.has(name);
    },
  };
}

/**
 * Whether a browser page may connect. Without an `Origin` it is not a browser, unless the client
 * says it is one.
 *
 * A page needs no listing when it was loaded from the host that it connects to, and that host is a
 * private address or a name that strangers cannot own, or when page, host and peer are all of this
 * machine.
 */
export function checkOrigin(
  origin: PeerOrigin,
  clientId: string | undefined,
  rules: OriginRules,
): OriginVerdict {
  const isBrowserClient = clientId === "openclaw-control-ui" || clientId === "webchat";
  const { browserOrigin } = origin;
  if (browserOrigin === undefined)
    return isBrowserClient ? { ok: false, reason: "origin missing or invalid" } : { ok: true };
  if (rules.isListed(browserOrigin)) return { ok: true };
  if (!/^https?:\/\/[^/]/.test(browserOrigin) || !URL.canParse(browserOrigin))
    return { ok: false, reason: "origin missing or invalid" };

  const page = new URL(browserOrigin);
  const name = hostName(page.host);
  const isLoopbackPage = name === "localhost" || isLoopback(name);
  if (origin.isLocal && isLoopbackPage) return { ok: true };
  const isSameHost = page.host.toLowerCase() === origin.host?.trim().toLowerCase();
  const isAllowed = isSameHost && (rules.allowsHostHeaderOrigin || isPrivateName(name));
  return isAllowed ? { ok: true } : { ok: false, reason: "origin not allowed" };
}

/** Addresses that are not of the internet, and names below suffixes that nobody can register. */
function isPrivateName(name: string | undefined): boolean {
  if (name === undefined) return false;
  if (isIP(name) === 4)
    return /^(10|192\.168|169\.254|172\.(1[6-9]|2\d|3[01])|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./.test(
      name,
    );
  if (isIP(name) === 6) return /^(f[cd][\da-f]{2}|fe[89ab][\da-f]):/.test(name);
  return name.endsWith(".local") || name.endsWith(".ts.net");
}
