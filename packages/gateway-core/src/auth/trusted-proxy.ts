import { networkInterfaces } from "node:os";
import { type AddressList, canonicalAddress, isLoopback } from "../listener/address-list.ts";
import type { PeerOrigin } from "../listener/peer-address.ts";
import { plainText } from "../plain-text.ts";
import type { IdentityVerdict } from "./identity-verdict.ts";
import { onlyValue } from "./tailnet-identity.ts";

/** A proxy in front knows its users and names them in a header. */
export interface TrustedProxyAuth {
  mode: "trusted-proxy";
  /** The header that carries the user, for example `X-Forwarded-User`. The proxy has to remove what clients send under that name. */
  userHeader: string;
  /** Headers that must be there too, whatever they say. @default none */
  requiredHeaders?: readonly string[];
  /** The users that may come in, exactly as the proxy writes them. @default all */
  allowUsers?: readonly string[];
  /** Believe a proxy on this machine, and with it every program on this machine. @default false */
  allowLoopback?: boolean;
  /** For programs on this machine, which come past the proxy. @default they cannot come in */
  password?: string;
}

const REASON_PREFIX = "trusted_proxy_";
const USER_NOT_ALLOWED = "user_not_allowed";

/** Whether the proxy has named somebody who is to stay out, whatever else it could bring. */
export function isShutOut({ reason }: { reason: string }): boolean {
  return reason === `${REASON_PREFIX}${USER_NOT_ALLOWED}`;
}

/** Whether the request came from a proxy that may name its users, and names one that may come in. */
export function verifyTrustedProxy(
  origin: PeerOrigin,
  auth: TrustedProxyAuth,
  context: {
    trustedProxies: AddressList;
    /** Addresses of this machine. @default those of its network interfaces */
    ownAddresses?: () => Iterable<string>;
  },
): IdentityVerdict {
  const { socketAddress } = origin;
  if (isLoopback(socketAddress) && auth.allowLoopback !== true)
    return no("loopback_source", "the request comes from this machine");
  if (origin.via !== "proxy" || !context.trustedProxies.has(socketAddress))
    return no("untrusted_source", "the request did not come through a trusted proxy");
  if (!isLoopback(socketAddress)) {
    const own = isOwnAddress(socketAddress, context.ownAddresses ?? interfaceAddresses);
    if (own === undefined)
      return no("local_interface_check_failed", "this machine's addresses are unknown");
    if (own) return no("local_interface_source", "the request comes from this machine");
  }
  for (const header of auth.requiredHeaders ?? []) {
    const name = header.toLowerCase();
    if (onlyValue(origin, name) === undefined)
      return no(`missing_header_${name}`, `the proxy did not set ${name}`);
  }
  const user = onlyValue(origin, auth.userHeader.toLowerCase());
  if (user === undefined) return no("user_missing", "the proxy named no user");
  const { allowUsers = [] } = auth;
  if (allowUsers.length > 0 && !allowUsers.includes(user))
    return no(USER_NOT_ALLOWED, "this user may not come in");
  return { ok: true, user: { login: plainText(user), provider: "trusted-proxy" } };
}

/**
 * The scopes that are left under the caps that `x-openclaw-scopes` sets. A client may send one too;
 * all it can do is take away.
 */
export function scopeCaps(origin: PeerOrigin): string[][] {
  const values = origin.proxyHeaders["x-openclaw-scopes"] ?? [];
  return values.map((value) =>
    value
      .split(",")
      .map((scope) => scope.trim())
      .filter((scope) => scope !== ""),
  );
}

function no(reason: string, what: string): IdentityVerdict {
  const isHeader = reason.startsWith("missing_header_") || reason === "user_missing";
  return {
    ok: false,
    reason: `${REASON_PREFIX}${reason}`,
    detailCode: isHeader ? "AUTH_IDENTITY_HEADER_REQUIRED" : "AUTH_UNAUTHORIZED",
    message: `unauthorized: ${what}`,
  };
}

function isOwnAddress(
  address: string | undefined,
  ownAddresses: () => Iterable<string>,
): boolean | undefined {
  try {
    for (const own of ownAddresses()) if (canonicalAddress(own) === address) return true;
    return false;
  } catch {
    return undefined;
  }
}

function interfaceAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((entries) =>
    (entries ?? []).map(({ address }) => address),
  );
}
