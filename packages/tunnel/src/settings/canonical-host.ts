import { isIP, isIPv6, SocketAddress } from "node:net";

/**
 * A host as ssh goes on to call it: a name in lower case, an IPv6 address in its short form, which is
 * also how known_hosts has them.
 */
export function canonicalHost(host: string): string {
  if (isIP(host) === 0) return host.toLowerCase();
  // Zones and embedded IPv4 addresses have forms of their own.
  if (!isIPv6(host) || /[%.]/u.test(host)) return host;
  return new SocketAddress({ address: host, family: "ipv6" }).address;
}
