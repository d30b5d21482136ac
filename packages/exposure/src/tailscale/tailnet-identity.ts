import { BlockList, isIP } from "node:net";
import { isObject } from "./json-in-noise.ts";

/** Who is behind an address of the tailnet. */
export interface TailnetIdentity {
  /** As Tailscale writes it, such as `ada@example.com`; that of a tagged machine is `tagged-devices`. */
  readonly login: string;
  /** The person's name, where Tailscale knows it. */
  readonly name?: string;
  /** Tags of the machine: then it belongs to no person. */
  readonly tags?: readonly string[];
}

const TAILNET = new BlockList();
TAILNET.addSubnet("100.64.0.0", 10, "ipv4");
TAILNET.addSubnet("fd7a:115c:a1e0::", 48, "ipv6");

/**
 * The one way to write an address of a tailnet; undefined for every other text, so that nothing else
 * ever becomes an argument of a program.
 */
export function tailnetAddress(text: string): string | undefined {
  const plain = text.replace(/^::ffff:(?=\d+\.)/iu, "");
  const version = isIP(plain);
  // A zone belongs to link-local addresses, which a tailnet has none of.
  if (version === 0 || plain.includes("%")) return undefined;
  if (version === 4) return TAILNET.check(plain, "ipv4") ? plain : undefined;
  if (!TAILNET.check(plain, "ipv6")) return undefined;
  return new URL(`http://[${plain}]/`).hostname.slice(1, -1);
}

/** Reads the document of `tailscale whois --json`; undefined when it names nobody. */
export function readIdentity(
  document: Readonly<Record<string, unknown>>,
): TailnetIdentity | undefined {
  const profile = [document["UserProfile"], document["userProfile"], document["User"], document];
  const login = firstText(profile, ["LoginName", "Login", "login"]);
  if (login === undefined) return undefined;
  const name = firstText(profile.slice(0, -1), ["DisplayName", "Name", "displayName", "name"]);
  const node = document["Node"];
  const tags = isObject(node) && Array.isArray(node["Tags"]) ? node["Tags"] : [];
  return {
    login,
    ...(name === undefined ? {} : { name }),
    ...(tags.length === 0 ? {} : { tags: tags.map(String) }),
  };
}

function firstText(places: readonly unknown[], keys: readonly string[]): string | undefined {
  for (const place of places) {
    if (!isObject(place)) continue;
    for (const key of keys) {
      const value = place[key];
      if (typeof value === "string" && value !== "") return value;
    }
  }
  return undefined;
}
