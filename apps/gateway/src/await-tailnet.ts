import type { Logger } from "@openclaw/app-kit";
import { tailnetAddresses } from "@openclaw/exposure";
import type { Listening } from "./listen-everywhere.ts";

/** How often this machine is asked whether it is in the tailnet by now. */
const LOOK_MS = 5_000;

/**
 * Listens on the tailnet's address as soon as this machine has one: at boot a Gateway may be up before
 * Tailscale is. Returns what ends the wait.
 */
export function awaitTailnet(
  listening: Pick<Listening, "add">,
  { logger, addresses = tailnetAddresses }: { logger: Logger; addresses?: typeof tailnetAddresses },
): () => void {
  const timer = setInterval(() => {
    const { ipv4, ipv6 } = addresses();
    const host = ipv4 ?? ipv6;
    if (host === undefined) return;
    clearInterval(timer);
    listening.add(host).then(
      (url) => logger.info({ url }, "the tailnet has an address here now; listening on it"),
      (error: unknown) => logger.error({ error, host }, "cannot listen on the tailnet's address"),
    );
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}
