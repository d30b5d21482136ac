import type { PeerOrigin } from "../listener/peer-address.ts";

export type OriginVerdict = { ok: true } | { ok: false; reason: string };

/**
 * Whether a browser page may connect. Without an `Origin` it is not a browser, unless the client
 * says it is one. A page of this machine may reach a Gateway on this machine; any other has to be
 * listed.
 */
export function checkOrigin(
  origin: PeerOrigin,
  clientId: string,
  allowed: ReadonlySet<string>,
): OriginVerdict {
  const isBrowserClient = clientId === "openclaw-control-ui" || clientId === "webchat";
  const { browserOrigin } = origin;
  if (browserOrigin === undefined)
    return isBrowserClient ? { ok: false, reason: "origin missing or invalid" } : { ok: true };
  if (allowed.has(browserOrigin)) return { ok: true };
  if (!URL.canParse(browserOrigin)) return { ok: false, reason: "origin missing or invalid" };
  const { hostname } = new URL(browserOrigin);
  const isLoopbackPage =
    hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
  return origin.isLocal && isLoopbackPage
    ? { ok: true }
    : { ok: false, reason: "origin not allowed" };
}
