import { createExposer } from "./exposer.ts";
import {
  createIdentityCache,
  defaultIdentityCacheLimits,
  type IdentityCacheLimits,
} from "./identity-cache.ts";
import { type Logger, silentLogger } from "./logger.ts";
import type { Tailscale } from "./tailscale.ts";
import { readIdentity, tailnetAddress } from "./tailnet-identity.ts";
import {
  createTailscaleProgram,
  defaultTailscaleLimits,
  type TailscaleLimits,
} from "./tailscale-program.ts";

/** Options of {@link createTailscale}. */
export interface TailscaleOptions {
  /** Where PATH is looked up; of the rest the program sees no more than it needs. */
  env: Readonly<Record<string, string | undefined>>;
  /** Absolute path of the `tailscale` program. @default searched for in PATH and the usual places */
  program?: string;
  /** @default drops everything */
  logger?: Logger;
  /** Milliseconds since 1970. @default Date.now */
  now?: () => number;
  limits?: Partial<TailscaleLimits & IdentityCacheLimits & StartingLimits>;
}

/** How long Tailscale is waited for when it is starting itself. */
export interface StartingLimits {
  /** @default 90_000 */
  startingMs: number;
  /** Between two looks. @default 1_000 */
  pollMs: number;
}

const defaultStartingLimits: StartingLimits = { startingMs: 90_000, pollMs: 1_000 };

/**
 * Drives Tailscale through its program, which this function does not run yet: only calls do.
 *
 * It is never run through sudo. A right that an administrator has not given to the Gateway is not to be
 * taken from a rule that was made for something else; a failure says instead which one command, run once,
 * gives it.
 */
export function createTailscale({
  env,
  program: path,
  logger = silentLogger,
  now = Date.now,
  limits: given = {},
}: TailscaleOptions): Tailscale {
  const limits = {
    ...defaultTailscaleLimits,
    ...defaultIdentityCacheLimits,
    ...defaultStartingLimits,
    ...given,
  };
  const program = createTailscaleProgram({ env, program: path, limits });
  const { startingMs, pollMs } = limits;
  const exposer = createExposer({ program, logger, now, startingMs, pollMs });
  const identities = createIdentityCache(
    async (address) => {
      try {
        const document = await program.whois(address);
        return document && readIdentity(document);
      } catch (error) {
        logger.warn({ err: error, address }, "tailscale does not say who this is");
        return undefined;
      }
    },
    limits,
    now,
  );

  return {
    status: () => program.status(),
    async whois(text) {
      const address = tailnetAddress(text);
      return address === undefined ? undefined : identities(address);
    },
    expose: (options) => exposer.expose(options),
    repair: (options) => exposer.repair(options),
    check: (route) => exposer.check(route),
  };
}
