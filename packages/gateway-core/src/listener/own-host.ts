import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { canonicalAddress, isLoopback } from "./address-list.ts";
import type { PeerOrigin } from "./peer-address.ts";

/** Whether a host that a peer has dialled is this Gateway's, and not one that somebody else answers at. */
export type OwnHost = (host: string, origin: Pick<PeerOrigin, "isLocal">) => boolean;

/**
 * Ours is a name that is listed, an address of this machine, and, for a peer of this machine, a
 * loopback name: every machine has one, and what answers there may be anybody's.
 */
export function createOwnHost(
  isListedName: (name: string) => boolean,
  ownAddresses: () => Iterable<string> = interfaceAddresses,
): OwnHost {
  return (given, { isLocal }) => {
    const host = given.toLowerCase();
    if (host === "localhost" || isLoopback(host)) return isLocal;
    if (isIP(host) === 0) return isListedName(host);
    const address = canonicalAddress(host);
    if (address === undefined || isLoopback(address)) return false;
    try {
      for (const own of ownAddresses()) if (canonicalAddress(own) === address) return true;
    } catch {
      // The system does not tell; then nobody is believed.
    }
    return false;
  };
}

function interfaceAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((entries) =>
    (entries ?? []).map(({ address }) => address),
  );
}
