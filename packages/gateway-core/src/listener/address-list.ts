import { BlockList, SocketAddress, isIP } from "node:net";
import { GatewayStartError } from "../errors.ts";

/** Addresses and ranges of both families. */
export interface AddressList {
  readonly isEmpty: boolean;
  has(address: string | undefined): boolean;
}

const BITS = { ipv4: 32, ipv6: 128 } as const;

/**
 * Reads addresses and CIDR ranges. A range of everything is refused: it would let anybody name any
 * address.
 *
 * @throws {GatewayStartError} `OPTIONS_INVALID`, naming the option and the entry
 */
export function createAddressList(option: string, entries: readonly string[]): AddressList {
  const list = new BlockList();
  for (const [index, entry] of entries.entries()) {
    const problem = addEntry(list, entry);
    if (problem === undefined) continue;
    throw new GatewayStartError(
      "OPTIONS_INVALID",
      `${option}[${index}] is ${JSON.stringify(entry)}: ${problem}`,
      { hint: "Write an address or a range, for example 10.0.0.7, 10.0.0.0/8 or fd00::/8." },
    );
  }
  return {
    isEmpty: entries.length === 0,
    has(address) {
      if (address === undefined) return false;
      const plain = canonicalAddress(address);
      return plain !== undefined && list.check(plain, familyOf(plain));
    },
  };
}

/** Adds one entry; otherwise says what is wrong with it. */
function addEntry(list: BlockList, entry: unknown): string | undefined {
  if (typeof entry !== "string") return "not a string";
  const [written = "", prefix, ...rest] = entry.split("/");
  const address = canonicalAddress(written.trim());
  if (address === undefined || rest.length > 0) return "not an address or a CIDR range";
  const family = familyOf(address);
  if (prefix === undefined) {
    list.addAddress(address, family);
    return undefined;
  }
  const bits = Number(prefix);
  if (!/^\d{1,3}$/.test(prefix) || bits > BITS[family])
    return `the prefix must be 1 to ${BITS[family]}`;
  if (bits === 0) return "a range of all addresses would trust everybody";
  if (isIP(written.trim()) === 6 && family === "ipv4") return "write this range as IPv4";
  list.addSubnet(address, bits, family);
  return undefined;
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIP(address) === 4 ? "ipv4" : "ipv6";
}

/**
 * One spelling for each address: IPv4 as it is, IPv4-mapped IPv6 as IPv4, IPv6 in its short form
 * without a zone. Undefined when it is no address.
 */
export function canonicalAddress(text: string): string | undefined {
  const family = isIP(text);
  if (family === 4) return text;
  if (family !== 6) return undefined;
  const { address } = new SocketAddress({ address: text.replace(/%.*$/, ""), family: "ipv6" });
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/, "");
}

/** 127.0.0.0/8 and ::1. */
export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && (address === "::1" || /^127\.\d+\.\d+\.\d+$/.test(address));
}
