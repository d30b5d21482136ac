import { publishedRelease } from "@openclaw/testkit";
import { startGateway } from "./subjects.ts";
import type { GatewayLauncher } from "./subjects.ts";

/** A published Gateway, installed into the cache on first use. */
export async function peerGateway(version: string): Promise<GatewayLauncher> {
  const { entry, env, prepareHome, forgetHome } = await publishedRelease(version);
  return {
    name: `openclaw@${version}`,
    cli: [entry],
    slowness: 20,
    start: ({ execArgv = [] } = {}) =>
      startGateway({
        args: [...execArgv, entry, "gateway", "run"],
        env,
        prepare: prepareHome,
        forget: forgetHome,
      }),
  };
}
