import { networkInterfaces } from "node:os";
import { type Interfaces, isTailnetIpv4, isTailnetIpv6 } from "./tailnet-addresses.ts";

/** Interfaces of containers and virtual machines, which nobody outside this machine reaches. */
const VIRTUAL = /^(?:docker|br-|veth|virbr|vmnet|vboxnet|cni|flannel|podman|lxc|lxd)/u;

/**
 * Addresses at which others in the local network reach this machine, the likeliest first: IPv4
 * before IPv6, private before public, interfaces of containers and virtual machines last. Neither
 * loopback, nor the tailnet, nor link-local addresses, which mean nothing elsewhere.
 */
export function lanAddresses(interfaces: Interfaces = networkInterfaces()): string[] {
  const found = Object.entries(interfaces).flatMap(([name, infos = []]) =>
    infos
      .filter(({ internal, address }) => !internal && !isElsewhere(address))
      .map(({ address }) => ({ address, rank: rankOf(name, address) })),
  );
  return [...new Set(found.sort((a, b) => a.rank - b.rank).map(({ address }) => address))];
}

function isElsewhere(address: string): boolean {
  if (isTailnetIpv4(address) || isTailnetIpv6(address)) return true;
  return address.startsWith("169.254.") || /^fe[89ab]/iu.test(address);
}

function rankOf(name: string, address: string): number {
  const isIpv6 = address.includes(":");
  const isPrivate = /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|f[cd])/iu.test(address);
  return (VIRTUAL.test(name) ? 4 : 0) + (isIpv6 ? 2 : 0) + (isPrivate ? 0 : 1);
}
