import type { IncomingHttpHeaders } from "node:http";
import { type AddressList, canonicalAddress } from "./address-list.ts";

/** Whom a trusted proxy speaks for; `unknown` when it does not say, `malformed` when nobody can tell. */
export type ForwardedClient =
  | { ok: true; address: string }
  | { ok: false; reason: "unknown" | "malformed" | "contradiction" };

/**
 * The client behind trusted proxies: read from the right, where our own proxy wrote, the first
 * address that is not itself a trusted proxy. What stands further left was sent by that client and
 * means nothing.
 *
 * A proxy that writes one of `X-Forwarded-For` and `Forwarded` passes the other on as the client
 * sent it, so the two have to agree when both are there.
 */
export function forwardedClient(
  headers: IncomingHttpHeaders,
  options: { trusted: AddressList; allowRealIpFallback: boolean },
): ForwardedClient {
  const listed = single(headers["x-forwarded-for"]);
  const standard = single(headers["forwarded"]);
  const claims: ForwardedClient[] = [];
  if (listed !== undefined) claims.push(rightmost(listed.split(","), options.trusted));
  if (standard !== undefined) claims.push(rightmost(forwardedNodes(standard), options.trusted));
  const [first, second] = claims;
  if (first && second && first.ok && second.ok && first.address !== second.address)
    return { ok: false, reason: "contradiction" };
  if (first) return first.ok && second && !second.ok ? second : first;

  const realIp = single(headers["x-real-ip"]);
  if (realIp === undefined || !options.allowRealIpFallback) return { ok: false, reason: "unknown" };
  const address = canonicalAddress(realIp.trim());
  return address === undefined ? { ok: false, reason: "malformed" } : { ok: true, address };
}

function rightmost(
  nodes: readonly (string | undefined)[] | undefined,
  trusted: AddressList,
): ForwardedClient {
  let outermost: string | undefined;
  for (const node of nodes?.toReversed() ?? []) {
    if (node === undefined) return { ok: false, reason: "unknown" };
    const host = withoutPort(node.trim());
    const address = canonicalAddress(host);
    if (address === undefined) {
      // RFC 7239 §6: a proxy may hide whom it speaks for.
      const isHidden = host.toLowerCase() === "unknown" || host.startsWith("_");
      return { ok: false, reason: isHidden ? "unknown" : "malformed" };
    }
    if (!trusted.has(address)) return { ok: true, address };
    outermost = address;
  }
  // A chain of nothing but our own proxies was begun by the outermost of them.
  return outermost === undefined
    ? { ok: false, reason: "malformed" }
    : { ok: true, address: outermost };
}

/** `192.0.2.1:80`, `[2001:db8::1]:80` and `[2001:db8::1]` without the port. */
function withoutPort(node: string): string {
  const bracketed = /^\[([^\]]*)\](?::\w+)?$/.exec(node);
  if (bracketed) return bracketed[1] ?? "";
  return node.replace(/^([^:]+):\w+$/, "$1");
}

/** The `for` of each element of a `Forwarded` header (RFC 7239 §4); undefined when it cannot be read. */
function forwardedNodes(header: string): (string | undefined)[] | undefined {
  const elements = splitOutsideQuotes(header, ",");
  if (!elements) return undefined;
  const nodes: (string | undefined)[] = [];
  for (const element of elements) {
    const pairs = splitOutsideQuotes(element, ";") ?? [];
    const values = pairs.flatMap((pair) => /^\s*for\s*=(.*)$/is.exec(pair)?.[1] ?? []);
    // Twice in one element is not allowed, and would let one reader see another client than the next.
    if (values.length > 1) return undefined;
    nodes.push(values[0] === undefined ? undefined : unquoted(values[0].trim()));
  }
  return nodes;
}

function unquoted(value: string): string {
  return value.startsWith('"') && value.endsWith('"') && value.length > 1
    ? value.slice(1, -1).replaceAll(/\\(.)/g, "$1")
    : value;
}

/** Undefined when a quote stays open. */
function splitOutsideQuotes(text: string, separator: string): string[] | undefined {
  const parts: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (isQuoted && char === "\\") at += 1;
    else if (char === '"') isQuoted = !isQuoted;
    else if (char === separator && !isQuoted) {
      parts.push(text.slice(start, at));
      start = at + 1;
    }
  }
  if (isQuoted) return undefined;
  parts.push(text.slice(start));
  return parts;
}

/** Node joins repeated headers of these names with commas, in order. */
function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(",") : value;
}
