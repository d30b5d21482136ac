import { safeText } from "@openclaw/app-kit";
import { LOCAL_DOMAIN } from "@openclaw/discovery";
import { beaconLines } from "../discovery/beacon-view.ts";
import { findGateways } from "../discovery/find-gateways.ts";
import type { CommandContext } from "../program/command-context.ts";

/**
 * `openclaw gateway discover`: what the local network says of Gateways. Nothing found is no failure.
 * What was found is shown and used for nothing.
 */
export async function run(context: CommandContext): Promise<number> {
  const timeoutMs = context.integer("timeout") ?? 2_000;
  const { beacons, problems } = await findGateways(context, timeoutMs);
  const { style } = context;
  for (const problem of problems) context.say(style.dim(`Note: ${safeText(problem)}`));
  const domains = [LOCAL_DOMAIN];
  context.answer({ timeoutMs, domains, count: beacons.length, beacons }, () => {
    const count = `Found ${beacons.length} gateway${beacons.length === 1 ? "" : "s"}`;
    const heading = style.bold(`${count} · domains: ${domains.join(", ")}`);
    if (beacons.length > 0) {
      return [heading, ...beacons.flatMap((beacon) => ["", ...beaconLines(beacon, style)])].join(
        "\n",
      );
    }
    return [
      heading,
      style.dim("A Gateway on loopback is announced only with discovery.mdns.mode full;"),
      style.dim("one on a server only when that key is set. Multicast does not leave the network."),
    ].join("\n");
  });
  return 0;
}
