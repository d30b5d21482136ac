import type { CommandSpec } from "./command-spec.ts";
import { JSON_OPTION } from "./common-options.ts";

export const discoverCommand: CommandSpec = {
  name: "discover",
  summary: "look for Gateways on the local network",
  description:
    "Shows what the network says, which may be anybody's word: no key, no fingerprint and no credential is taken from it.",
  examples: [
    { command: "gateway discover", says: "listen for two seconds" },
    { command: "gateway discover --timeout 5000 --json", says: "for scripts" },
  ],
  options: [
    {
      name: "timeout",
      kind: "integer",
      value: "ms",
      default: 2_000,
      description: "How long to listen",
    },
    JSON_OPTION,
  ],
  toleratesBrokenConfig: true,
  load: () => import("../commands/gateway-discover.ts"),
};
