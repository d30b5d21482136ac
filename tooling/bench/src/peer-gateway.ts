import { publishedRelease, trackPublishedLocks } from "@openclaw/testkit";
import { startGateway } from "./subjects.ts";
import type { GatewayLauncher } from "./subjects.ts";

/** A published Gateway, installed into the cache on first use. */
export async function peerGateway(version: string): Promise<GatewayLauncher> {
  const { entry, env, prepareHome } = await publishedRelease(version);
  return {
    name: `openclaw@${version}`,
    cli: [entry],
    slowness: 20,
    async start({ execArgv = [] } = {}) {
      const locks = await trackPublishedLocks();
      return startGateway({
        args: [...execArgv, entry, "gateway", "run"],
        env,
        prepare: prepareHome,
        forget: async () => {
          await locks[Symbol.asyncDispose]();
        },
      });
    },
  };
}
