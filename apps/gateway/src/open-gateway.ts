import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { hasCode, type Logger, messageOf } from "@openclaw/app-kit";
import {
  createGateway,
  createSqliteStore,
  type Gateway,
  type GatewayOptions,
  GatewayStartError,
  type Store,
} from "@openclaw/gateway-core";
import { instancePath, isAlive, readInstance } from "./instance-file.ts";
import { quietSqlite } from "./quiet-sqlite.ts";
import type { StartPlan } from "./start-plan.ts";
import type { StartRefusal } from "./start-refusal.ts";
import { VERSION } from "./version.ts";

/** Where the state is, and what to say when another Gateway has it. */
export interface GatewayPlace {
  readonly stateDir: string;
  /** How to stop a Gateway on this system, a line each. */
  readonly stopHints: readonly string[];
  /** Ends the wait for another Gateway. */
  readonly signal: AbortSignal;
}

/** A Gateway that is about to end gets so long to let go of its state. */
const LOCK_TIMEOUT_MS = 5_000;
const LOCK_POLL_MS = 100;

type Opened = { gateway: Gateway } | { refusal: StartRefusal };
type EmbedderOptions = Pick<GatewayOptions, "allowedHosts" | "tailnet" | "setup" | "hooks"> & {
  logger: Logger;
};

/**
 * Opens the state and makes a Gateway of the plan; it does not listen yet. A state that another
 * Gateway uses is waited for, since that one may be ending.
 */
export async function openGateway(
  plan: StartPlan,
  place: GatewayPlace,
  more: EmbedderOptions,
): Promise<Opened> {
  const deadline = performance.now() + LOCK_TIMEOUT_MS;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop
    const opened = await tryToOpen(plan, place, more);
    const isLocked = "refusal" in opened && opened.refusal.id === "R11";
    if (!isLocked || place.signal.aborted || performance.now() >= deadline) return opened;
    // oxlint-disable-next-line no-await-in-loop
    await delay(LOCK_POLL_MS, undefined, { signal: place.signal }).catch(() => {});
  }
}

async function tryToOpen(
  plan: StartPlan,
  place: GatewayPlace,
  more: EmbedderOptions,
): Promise<Opened> {
  const { stateDir } = place;
  let store: Store | undefined;
  try {
    quietSqlite(process);
    store = createSqliteStore({ directory: join(stateDir, "gateway"), ledger: plan.ledger });
    const gateway = createGateway({
      auth: plan.auth,
      store,
      serverVersion: VERSION,
      nodes: {
        commands: plan.commands,
        pairing: { autoApproveLocal: plan.autoApproveLocal },
      },
      allowedOrigins: plan.allowedOrigins,
      trustedProxies: plan.trustedProxies,
      allowRealIpFallback: plan.allowRealIpFallback,
      dangerouslyAllowHostHeaderOrigin: plan.allowHostHeaderOrigin,
      ...(plan.strictTransportSecurity === undefined
        ? {}
        : { strictTransportSecurity: plan.strictTransportSecurity }),
      throttle: plan.rateLimit,
      ...more,
    });
    return { gateway };
  } catch (error) {
    // Nobody else lets go of it, and another start may follow in this process.
    await store?.close();
    return { refusal: refusedOpen(error, place) };
  }
}

function refusedOpen(error: unknown, { stateDir, stopHints }: GatewayPlace): StartRefusal {
  const isLocked = hasCode(error, "STORE_LOCKED") || hasCode(error, "LOCKED");
  if (isLocked) {
    const instance = readInstance(stateDir);
    const isRunning = instance !== undefined && isAlive(instance.pid);
    const who = isRunning ? ` (pid ${instance.pid}, port ${instance.port})` : "";
    return {
      id: "R11",
      message: `a Gateway already runs with the state in ${stateDir}${who}, and has not let go of it within ${LOCK_TIMEOUT_MS} ms`,
      hints: [
        isRunning
          ? `Stop it (kill ${instance.pid}), or look at it: openclaw gateway status`
          : `Stop it; ${instancePath(stateDir)} names the last one.`,
        ...stopHints,
        "A second Gateway on one host needs its own profile and port: openclaw --profile <name> gateway run --port <port>",
      ],
      exitCode: 78,
    };
  }
  const message = messageOf(error);
  const hint = error instanceof GatewayStartError ? error.hint : undefined;
  const hints = hint === undefined ? [] : [hint];
  return hasCode(error, "OPTIONS_INVALID")
    ? { id: "config", message, hints, exitCode: 78 }
    : {
        id: "state",
        message: `the state in ${stateDir} cannot be used: ${message}`,
        hints,
        exitCode: 1,
      };
}
