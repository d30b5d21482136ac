import { isIP } from "node:net";
import { MAX_SETUP_URLS, normalizeSetupUrl } from "@openclaw/protocol";
import type { SetupProfile } from "./setup-profile.ts";

/** Where a setup code sends a device, and with how much. */
export type SetupPlan =
  | {
      ok: true;
      url: string;
      urls: readonly string[];
      urlSource: string;
      profile: SetupProfile;
      isDowngraded: boolean;
    }
  | { ok: false; message: string };

export interface SetupPlanInput {
  /** Named by whoever asks; wins. */
  publicUrl: string | undefined;
  /** What the Gateway can be reached by, the best first, as its program knows it. */
  known: readonly string[];
  profile: SetupProfile;
}

const CURES =
  "listen on the LAN or a tailnet (gateway.bind), turn on Tailscale Serve (gateway.tailscale.mode), or name a public address";

/**
 * Chooses the addresses of a code. A Gateway that only this machine reaches is of no use to another
 * one, unless somebody names the address on purpose, as for a tunnel. Whoever listens in on a plain
 * `ws:` could take the code, so it is for private networks only and never gives full access there.
 */
export function planSetup({ publicUrl, known, profile }: SetupPlanInput): SetupPlan {
  const given = publicUrl === undefined ? known : [publicUrl];
  const addresses = [...new Set(given.flatMap((text) => normalizeSetupUrl(text) ?? []))];
  if (publicUrl !== undefined && addresses.length === 0)
    return {
      ok: false,
      message: "publicUrl must be a ws:// or wss:// address without credentials",
    };
  const reachable =
    publicUrl === undefined ? addresses.filter((url) => !isLoopbackUrl(url)) : addresses;
  if (reachable.length === 0) {
    return {
      ok: false,
      message: `no other device can reach this Gateway: it only listens on loopback; ${CURES}`,
    };
  }
  const safe = reachable.filter(mayCarryCode).slice(0, MAX_SETUP_URLS);
  const [url] = safe;
  if (url === undefined) {
    return {
      ok: false,
      message: `${reachable[0]} is not encrypted and not in a private network: use wss://`,
    };
  }
  // One plain address is enough for somebody on the way to see the token.
  const isPlain = safe.some((each) => each.startsWith("ws:") && !isLoopbackUrl(each));
  const isDowngraded = profile === "full" && isPlain;
  return {
    ok: true,
    url,
    urls: safe,
    urlSource: publicUrl === undefined ? "gateway" : "publicUrl",
    profile: isDowngraded ? "limited" : profile,
    isDowngraded,
  };
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, "").toLowerCase();
}

function isLoopbackUrl(url: string): boolean {
  const host = hostOf(url);
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** wss anywhere; ws where strangers do not listen: this machine, private addresses, `.local`. */
function mayCarryCode(url: string): boolean {
  if (url.startsWith("wss:") || isLoopbackUrl(url)) return true;
  const host = hostOf(url);
  if (isIP(host) === 4)
    return /^(10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/.test(
      host,
    );
  if (isIP(host) === 6) return /^(f[cd][\da-f]{2}|fe[89ab][\da-f]):/.test(host);
  return host.endsWith(".local") || host.endsWith(".ts.net");
}
