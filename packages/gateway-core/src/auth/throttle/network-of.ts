import { isIPv6 } from "node:net";
import { isLoopback } from "../../listener/peer-address.ts";

/** The network of every peer on this machine. */
export const LOOPBACK_NETWORK = "loopback";

/**
 * The network that an address counts for: an IPv4 address for itself, an IPv6 address for its /64,
 * since whoever has one of those has all of them. IPv4-mapped addresses count as IPv4.
 */
export function networkOf(address: string | undefined): string {
  if (address === undefined) return "unknown";
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  const plain = mapped ?? address.split("%", 1)[0] ?? address;
  if (isLoopback(plain)) return LOOPBACK_NETWORK;
  if (!isIPv6(plain)) return plain;
  return `${firstGroups(plain).join(":")}::/64`;
}

/** The first four groups of an IPv6 address, without leading zeros. */
function firstGroups(address: string): string[] {
  const [head = "", tail] = address.toLowerCase().split("::", 2);
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  // An address may end in IPv4 notation, which stands for two groups.
  const width = (groups: string[]): number =>
    groups.length + (groups.at(-1)?.includes(".") === true ? 1 : 0);
  const gap =
    tail === undefined
      ? []
      : Array<string>(Math.max(0, 8 - width(before) - width(after))).fill("0");
  return [...before, ...gap, ...after].slice(0, 4).map((group) => group.replace(/^0+(?=.)/, ""));
}
