import { createServer, type Server } from "node:http";
import type { CloseOptions, Gateway } from "@openclaw/gateway-core";
import type { StartPlan } from "./start-plan.ts";

/** A Gateway that listens. */
export interface Listening {
  /** The one port of all addresses. */
  port: number;
  /** The first is the one to show when one is asked for. */
  urls: readonly string[];
  /** Closes the Gateway and everything it listens with. */
  close(options?: CloseOptions): Promise<void>;
}

/**
 * Listens on every address of the plan, on one port, and on the optional ones where the machine has
 * them. When one of the others fails, nothing is left open but the Gateway itself.
 */
export async function listenEverywhere(
  gateway: Gateway,
  plan: Pick<StartPlan, "hosts" | "optionalHosts" | "port">,
): Promise<Listening> {
  const [first = "127.0.0.1", ...others] = plan.hosts;
  const { port } = await gateway.listen({ port: plan.port, host: first });
  const extra: Server[] = [];
  const urls = [urlOf(first, port)];
  try {
    for (const host of others) {
      // One after the other, so that the first failure is the one that is told.
      // oxlint-disable-next-line no-await-in-loop
      extra.push(await listenAlso(gateway, host, port));
      urls.push(urlOf(host, port));
    }
  } catch (error) {
    await Promise.all(extra.map(closeServer));
    throw error;
  }
  for (const host of plan.optionalHosts) {
    // A machine without IPv6 has no ::1, and a foreign program may hold the port there only.
    // oxlint-disable-next-line no-await-in-loop
    const server = await listenAlso(gateway, host, port).catch(() => undefined);
    if (server !== undefined) extra.push(server);
  }
  return {
    port,
    urls,
    async close(options) {
      const closed = extra.map(closeServer);
      await gateway.close(options);
      await Promise.all(closed);
    },
  };
}

async function listenAlso(gateway: Gateway, host: string, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    if (gateway.handleRequest(request, response)) return;
    response.writeHead(404, { "content-type": "text/plain; charset=utf-8" }).end("Not Found");
  });
  gateway.attach(server);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host, ipv6Only: true }, () => {
      server.off("error", reject);
      resolve();
    });
  });
  return server;
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}

function urlOf(host: string, port: number): string {
  return `ws://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
