import { once } from "node:events";
import { createServer } from "node:net";
import { hasCode } from "@openclaw/app-kit";
import type { StartPlan } from "./start-plan.ts";

type Place = Pick<StartPlan, "hosts" | "port">;

/**
 * Why a Gateway that listens in one place could not listen in another, found out by trying: somebody
 * holds the port, or this machine does not have the address. `undefined` where it could. A restart that
 * fails ends the Gateway, and with it the way to mend the config from elsewhere.
 */
export async function refuseOtherPlace(present: Place, next: Place): Promise<string | undefined> {
  for (const host of next.hosts) {
    // The port that it has is its own; whether there is the address shows with any other.
    const port = next.port === present.port ? 0 : next.port;
    // The first that fails is the one that a start would tell.
    // oxlint-disable-next-line no-await-in-loop
    const failure = await tryToListen(host, port);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

async function tryToListen(host: string, port: number): Promise<string | undefined> {
  const server = createServer();
  try {
    server.listen({ host, port, ipv6Only: true, exclusive: true });
    await once(server, "listening");
  } catch (error) {
    if (hasCode(error, "EADDRINUSE")) return `port ${port} is in use on ${host}`;
    if (hasCode(error, "EADDRNOTAVAIL")) return `this machine does not have the address ${host}`;
    if (hasCode(error, "EACCES")) return `this user may not listen on port ${port}`;
    // Whatever else there is, the start tells it better.
    return undefined;
  }
  server.close();
  await once(server, "close");
  return undefined;
}
