import { hasCode } from "@openclaw/app-kit";
import type { CloseOptions, Gateway, ListenOptions } from "@openclaw/gateway-core";
import type { StartPlan } from "./start-plan.ts";

/** Who is in a tailnet. */
const TAILNET = ["100.64.0.0/10", "fd7a:115c:a1e0::/48"];
const LOOPBACK = "127.0.0.1";

/** A Gateway that listens. */
export interface Listening {
  /** The one port of all addresses. */
  port: number;
  /** The first is the one to show when one is asked for. */
  urls: readonly string[];
  /** Listens on one address more. */
  add(host: string): Promise<string>;
  /** Closes the Gateway and everything it listens with. */
  close(options?: CloseOptions): Promise<void>;
}

/**
 * Listens on every address of the plan, on one port, and on the optional ones where the machine has
 * them. When one of the others fails, this rejects, and the Gateway has to be closed.
 */
export async function listenEverywhere(
  gateway: Gateway,
  plan: Pick<StartPlan, "bind" | "hosts" | "optionalHosts" | "port">,
  tls?: ListenOptions["tls"],
): Promise<Listening> {
  let { port } = plan;
  const urls: string[] = [];
  const add = async (host: string): Promise<string> => {
    const secured = tls === undefined ? {} : { tls };
    // A neighbour in the LAN need only set a route to reach the tailnet's address.
    const kept = plan.bind === "tailnet" && host !== LOOPBACK ? { from: TAILNET } : {};
    const address = await gateway.listen({ port, host, ipv6Only: true, ...secured, ...kept });
    ({ port } = address);
    return address.url;
  };
  for (const host of plan.hosts) {
    // One after the other: the first decides the port, and the first failure is the one that is told.
    // oxlint-disable-next-line no-await-in-loop
    urls.push(await add(host));
  }
  for (const host of plan.optionalHosts) {
    // oxlint-disable-next-line no-await-in-loop
    await add(host).catch((error: unknown) => {
      // A machine without IPv6 has no ::1, and a foreign program may hold the port there only. Half of
      // a network is another matter: there the port is the Gateway's, or nobody's.
      if (host === "::" && hasCode(error, "PORT_IN_USE")) throw error;
    });
  }
  return {
    get port() {
      return port;
    },
    urls,
    async add(host) {
      const url = await add(host);
      urls.push(url);
      return url;
    },
    close: (options) => gateway.close(options),
  };
}
