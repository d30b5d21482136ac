import { type LooseConfig, parseSshAddress, sshGatewayAddress } from "@openclaw/config";
import type { Beacon } from "@openclaw/discovery";
import type { ChosenGateway } from "../gateway/choose-gateway.ts";

/**
 * The first Gateway on the local network that tells a way in by SSH. The host key decides whether it is
 * one that this user knows; and since somebody else named it, it gets no credential, not even one of
 * the command line.
 */
export function chooseDiscovered(
  beacons: readonly Beacon[],
  loose: LooseConfig,
): ChosenGateway | undefined {
  for (const { tailnetDns, lanHost, host, sshPort, gatewayPort, port } of beacons) {
    // A bare word could be an alias of the user's ssh config, and lead anywhere.
    const name = [tailnetDns, lanHost, host].find((known) => known?.includes(".") === true);
    if (name === undefined || sshPort === undefined) continue;
    const parsed = parseSshAddress(`${name}:${sshPort}`);
    if (!parsed.ok) continue;
    const remotePort = gatewayPort ?? port;
    return {
      target: {
        ...sshGatewayAddress(parsed.address, remotePort === undefined ? {} : { remotePort }),
        kind: "url-flag",
        urlSource: "local network",
      },
      credentials: { sources: {}, explain: () => "" },
      loose,
    };
  }
  return undefined;
}
