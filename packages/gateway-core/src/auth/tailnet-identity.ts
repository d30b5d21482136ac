import type { PeerOrigin } from "../listener/peer-address.ts";
import { plainText } from "../plain-text.ts";
import type { IdentityVerdict } from "./identity-verdict.ts";

/** Who uses a tailnet address, as Tailscale on this machine says. */
export interface TailnetUser {
  login: string;
  name?: string;
  /** A tagged machine belongs to nobody, and so speaks for nobody. */
  tags?: readonly string[];
}

export type Whois = (address: string) => Promise<TailnetUser | undefined>;

/**
 * Whether a `connect` asks to be let in by who it is on the tailnet: an operator that came through
 * Serve and brought no secret of its own. Funnel, the open internet, never gets so far, and neither
 * does a node.
 */
export function asksForTailnetIdentity(rawParams: unknown, origin: PeerOrigin): boolean {
  if (origin.via !== "serve") return false;
  const { role = "operator", auth } = membersOf(rawParams);
  if (role !== "operator") return false;
  // Which host was dialled is no secret.
  return !Object.entries(membersOf(auth)).some(
    ([name, secret]) => name !== "keyFor" && typeof secret === "string" && secret !== "",
  );
}

/**
 * Checks the identity that Serve has written into the headers against what Tailscale says of the
 * address that Serve forwards for. Neither alone is believed: any program on this machine can write
 * the headers. Never rejects.
 */
export async function verifyTailnetIdentity(
  origin: PeerOrigin,
  whois: Whois,
): Promise<IdentityVerdict> {
  const login = onlyValue(origin, "tailscale-user-login");
  if (login === undefined)
    return no("user_missing", "AUTH_TAILSCALE_IDENTITY_MISSING", "identity missing");
  const isServe = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"].every(
    (name) => onlyValue(origin, name) !== undefined,
  );
  if (!isServe || origin.address === undefined)
    return no("proxy_missing", "AUTH_TAILSCALE_PROXY_MISSING", "proxy headers missing");
  const user = await whois(origin.address).catch(() => undefined);
  if (!user?.login) return no("whois_failed", "AUTH_TAILSCALE_WHOIS_FAILED", "whois failed");
  if (user.tags !== undefined && user.tags.length > 0)
    return no(
      "user_missing",
      "AUTH_TAILSCALE_IDENTITY_MISSING",
      "identity missing: the machine is tagged",
    );
  if (user.login.toLowerCase() !== login.toLowerCase())
    return no("user_mismatch", "AUTH_TAILSCALE_IDENTITY_MISMATCH", "identity mismatch");
  const name = user.name === undefined ? "" : plainText(user.name);
  return {
    ok: true,
    user: { login: plainText(user.login), ...(name === "" ? {} : { name }), provider: "tailscale" },
  };
}

function no(
  reason: string,
  detailCode: Extract<IdentityVerdict, { ok: false }>["detailCode"],
  what: string,
): IdentityVerdict {
  return {
    ok: false,
    reason: `tailscale_${reason}`,
    detailCode,
    message: `unauthorized: tailscale ${what} (send the Gateway's token or password instead)`,
  };
}

/** A header that came exactly once and is not empty. */
export function onlyValue(origin: PeerOrigin, name: string): string | undefined {
  const values = origin.proxyHeaders[name] ?? [];
  return values.length === 1 ? values[0]?.trim() || undefined : undefined;
}

function membersOf(value: unknown): Record<string, unknown> {
  // Read only through checks of each member; the schema judges the rest later.
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
