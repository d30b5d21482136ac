import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { type AddressList, canonicalAddress, isLoopback } from "./address-list.ts";
import { type ForwardedClient, forwardedClient } from "./forwarded-client.ts";
import { isLoopbackHost } from "./host-rule.ts";

/** What the transport tells of a peer, before it has said anything. */
export interface PeerOrigin {
  /** The client's address: of the TCP peer, or what a trusted proxy says. IPv4-mapped IPv6 is written as IPv4. */
  address: string | undefined;
  /**
   * On this machine: the TCP peer is, it asked for this machine by a loopback name, and nothing says
   * that it forwards for somebody else. Nobody behind a proxy is ever local.
   */
  isLocal: boolean;
  /** Who vouches for `address`: the network, a trusted proxy, or Tailscale on this machine. */
  via: "direct" | "proxy" | "serve" | "funnel";
  /** Address of the TCP peer, which is the proxy's when there is one. */
  socketAddress: string | undefined;
  /** What the client wanted to reach: the `Host` header, or `X-Forwarded-Host` of a trusted proxy. */
  host: string | undefined;
  /** The `Origin` header: browsers send it, native clients do not. */
  browserOrigin: string | undefined;
  /** A browser sent this, whether or not it says on behalf of which page. */
  isBrowser: boolean;
  userAgent: string | undefined;
  /** All headers, of a request that came through somebody who is trusted; empty otherwise. */
  proxyHeaders: Readonly<Record<string, readonly string[] | undefined>>;
}

/** Who is trusted to forward. */
export interface ProxyTrust {
  trustedProxies: AddressList;
  allowRealIpFallback: boolean;
  /** Tailscale Serve or Funnel of this machine is in front, and forwards from loopback. */
  isBehindTailscale: boolean;
  /** More headers that only a proxy sets, in lower case. */
  identityHeaders: ReadonlySet<string>;
}

/** Where a request comes from, or why nobody knows. */
export type Attribution =
  | { ok: true; origin: PeerOrigin }
  | { ok: false; problem: ForwardingProblem };

/** Why nobody knows whom a request is from: the proxy is not trusted, or it cannot be understood. */
export type ForwardingProblem = "untrusted" | "unknown" | "malformed" | "contradiction";

const FORWARDING = /^(forwarded|x-real-ip|x-forwarded-.*|tailscale-.*)$/;
/** Marks of proxies that write none of the above; whoever sends one of these is not on this machine. */
const RELAYED =
  /^(via|x-client-ip|x-cluster-client-ip|x-original-(for|forwarded-for)|(true|fastly)-client-ip|cf-(connecting-ip|ray)|x-envoy-.*)$/;
const TAILSCALE = /^tailscale-/;

/**
 * Where a request comes from. Forwarding headers count only from those who are trusted to write
 * them; from anybody else they are a lie or a proxy that nobody has told us of.
 */
export function attribute(request: IncomingMessage, trust: ProxyTrust): Attribution {
  const { headers } = request;
  const { remoteAddress } = request.socket;
  const socketAddress = remoteAddress === undefined ? undefined : canonicalAddress(remoteAddress);
  const names = Object.keys(headers);
  const isForwarded = names.some(
    (name) => FORWARDING.test(name) || trust.identityHeaders.has(name),
  );
  const base = {
    socketAddress,
    host: headers.host,
    browserOrigin: headers.origin,
    isBrowser: headers.origin !== undefined || names.some((name) => name.startsWith("sec-fetch-")),
    userAgent: headers["user-agent"],
  };
  const isFromLoopback = isLoopback(socketAddress);
  const isTrusted = trust.trustedProxies.has(socketAddress);

  if (!isForwarded && !(isTrusted && !isFromLoopback)) {
    const isRelayed = names.some((name) => RELAYED.test(name));
    const isLocal = isFromLoopback && !isRelayed && isLoopbackHost(headers.host);
    return {
      ok: true,
      origin: { ...base, address: socketAddress, isLocal, via: "direct", proxyHeaders: {} },
    };
  }
  const forwarded = {
    ...base,
    host: firstOf(headers["x-forwarded-host"]) ?? headers.host,
    isLocal: false,
    proxyHeaders: request.headersDistinct,
  };
  const saysTailscale = names.some((name) => TAILSCALE.test(name));
  // What Tailscale marks is Tailscale's, also where another proxy on this machine is trusted.
  if (trust.isBehindTailscale && isFromLoopback && (saysTailscale || !isTrusted)) {
    const client = servedClient(headers);
    if (!client.ok) return no(client.reason);
    const via = headers["tailscale-funnel-request"] === undefined ? "serve" : "funnel";
    return { ok: true, origin: { ...forwarded, address: client.address, via } };
  }
  if (!isTrusted) return no("untrusted");
  if (!isForwarded) {
    // A proxy on another machine that names nobody, for example when it looks after our health.
    return { ok: true, origin: { ...forwarded, address: socketAddress, via: "proxy" } };
  }
  const client = forwardedClient(headers, {
    trusted: trust.trustedProxies,
    allowRealIpFallback: trust.allowRealIpFallback,
  });
  if (!client.ok) return no(client.reason);
  return { ok: true, origin: { ...forwarded, address: client.address, via: "proxy" } };
}

/** Tailscale names exactly one client, and removes what that client sent under the same names. */
function servedClient(headers: IncomingHttpHeaders): ForwardedClient {
  const written = firstOf(headers["x-forwarded-for"]);
  if (
    headers.forwarded !== undefined ||
    headers["x-real-ip"] !== undefined ||
    written === undefined
  )
    return { ok: false, reason: "unknown" };
  const address = canonicalAddress(written.trim());
  return address === undefined ? { ok: false, reason: "malformed" } : { ok: true, address };
}

function no(problem: ForwardingProblem): Attribution {
  return { ok: false, problem };
}

function firstOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}

export { isLoopback } from "./address-list.ts";
