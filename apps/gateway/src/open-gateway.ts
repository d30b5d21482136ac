import { join } from "node:path";
import process from "node:process";
import { hasCode, type Logger, messageOf } from "@openclaw/app-kit";
import {
  createGateway,
  createSqliteStore,
  type Gateway,
  type GatewayOptions,
  GatewayStartError,
} from "@openclaw/gateway-core";
import { instancePath, isAlive, readInstance } from "./instance-file.ts";
import { quietSqlite } from "./quiet-sqlite.ts";
import type { StartPlan } from "./start-plan.ts";
import type { StartRefusal } from "./start-refusal.ts";
import { VERSION } from "./version.ts";

/** Opens the state and makes a Gateway of the plan; it does not listen yet. */
export function openGateway(
  plan: StartPlan,
  stateDir: string,
  more: Pick<GatewayOptions, "allowedHosts" | "tailnet" | "setup"> & { logger: Logger },
): { gateway: Gateway } | { refusal: StartRefusal } {
  try {
    quietSqlite(process);
    const store = createSqliteStore({ directory: join(stateDir, "gateway"), ledger: plan.ledger });
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
    return { refusal: refusedOpen(error, stateDir) };
  }
}

function refusedOpen(error: unknown, stateDir: string): StartRefusal {
  const isLocked = hasCode(error, "STORE_LOCKED") || hasCode(error, "LOCKED");
  if (isLocked) {
    const instance = readInstance(stateDir);
    const isRunning = instance !== undefined && isAlive(instance.pid);
    const who = isRunning ? ` (pid ${instance.pid}, port ${instance.port})` : "";
    return {
      id: "R11",
      message: `a Gateway already runs with the state in ${stateDir}${who}`,
      hints: [
        isRunning
          ? `Stop it (kill ${instance.pid}), or look at it: openclaw gateway status`
          : `Stop it; ${instancePath(stateDir)} names the last one.`,
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
