import { type NetworkInterfaceInfo, networkInterfaces } from "node:os";

/** Interfaces as `os.networkInterfaces()` has them. */
export type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** Addresses of this machine in its tailnet. */
export interface TailnetAddresses {
  readonly ipv4?: string;
  readonly ipv6?: string;
}

/**
 * The addresses that Tailscale gave this machine, found without asking Tailscale: IPv4 in
 * 100.64.0.0/10 and IPv6 in fd7a:115c:a1e0::/48, the first of each in the order of the interfaces.
 * Carriers use 100.64.0.0/10 too, so an interface that also has the IPv6 prefix goes before others.
 */
export function tailnetAddresses(interfaces: Interfaces = networkInterfaces()): TailnetAddresses {
  const outward = Object.values(interfaces).map((infos = []) =>
    infos.filter(({ internal }) => !internal).map(({ address }) => address),
  );
  const ipv6 = outward.flat().find(isTailnetIpv6);
  const sure = outward.find((addresses) => addresses.some(isTailnetIpv6)) ?? [];
  const ipv4 = sure.find(isTailnetIpv4) ?? outward.flat().find(isTailnetIpv4);
  return { ...(ipv4 === undefined ? {} : { ipv4 }), ...(ipv6 === undefined ? {} : { ipv6 }) };
}

/** Whether an IPv4 address is in 100.64.0.0/10, from which tailnets and carriers take theirs. */
export function isTailnetIpv4(address: string): boolean {
  const [first, second] = address.split(".").map(Number);
  return /^\d+(?:\.\d+){3}$/u.test(address) && first === 100 && ((second ?? 0) & 0xc0) === 64;
}

/** Whether an IPv6 address is in fd7a:115c:a1e0::/48, which is Tailscale's alone. */
export function isTailnetIpv6(address: string): boolean {
  return address.toLowerCase().startsWith("fd7a:115c:a1e0:");
}
