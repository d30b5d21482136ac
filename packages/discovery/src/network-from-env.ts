import type { NetworkOptions } from "./helper/messages.ts";

/**
 * Multicast DNS has one port, and a machine speaks on the interface of its default route. For a network
 * that is apart, such as that of a test, `OPENCLAW_MDNS_PORT` and `OPENCLAW_MDNS_INTERFACE` (an IPv4
 * address) say otherwise. What has another form counts as unset.
 */
export function networkFromEnv(env: Readonly<Record<string, string | undefined>>): NetworkOptions {
  const port = Number(env["OPENCLAW_MDNS_PORT"]);
  const address = env["OPENCLAW_MDNS_INTERFACE"]?.trim() ?? "";
  return {
    ...(Number.isInteger(port) && port > 0 && port <= 65_535 ? { port } : {}),
    ...(/^\d{1,3}(\.\d{1,3}){3}$/.test(address) ? { interface: address } : {}),
  };
}
