import { type Logger, messageOf } from "@openclaw/app-kit";
import { tailnetAddresses } from "@openclaw/exposure";
import type { Listening } from "./listen-everywhere.ts";

/** How often this machine is asked whether it is in the tailnet by now. */
const LOOK_MS = 5_000;

/**
 * Listens on the tailnet's address as soon as this machine has one: at boot a Gateway may be up before
 * Tailscale is. An address that cannot be listened on yet is tried again. Returns what ends the wait.
 */
export function awaitTailnet(
  listening: Pick<Listening, "add">,
  { logger, addresses = tailnetAddresses }: { logger: Logger; addresses?: typeof tailnetAddresses },
): () => void {
  let isTrying = false;
  let isOver = false;
  let told: string | undefined;

  async function look(): Promise<void> {
    const { ipv4, ipv6 } = addresses();
    const host = ipv4 ?? ipv6;
    if (host === undefined || isTrying) return;
    isTrying = true;
    try {
      const url = await listening.add(host);
      end();
      logger.info({ url }, "the tailnet has an address here now; listening on it");
    } catch (error) {
      const problem = messageOf(error);
      // Tried every few seconds, told once.
      if (!isOver && problem !== told)
        logger.error({ error, host }, "cannot listen on the tailnet's address yet");
      told = problem;
    } finally {
      isTrying = false;
    }
  }

  function end(): void {
    isOver = true;
    clearInterval(timer);
  }

  const timer = setInterval(() => void look(), LOOK_MS);
  timer.unref();
  return end;
}
