import { existsSync } from "node:fs";
import { hostname, networkInterfaces } from "node:os";
import { basename } from "node:path";
import process from "node:process";
import type { Logger } from "@openclaw/app-kit";
import { announce, type Announcement, networkFromEnv } from "@openclaw/discovery";
import { type DiscoveryQuestion, planDiscovery } from "./plan-discovery.ts";

/** What the Gateway that is to be announced knows of itself. */
export type DiscoveryInput = Omit<
  DiscoveryQuestion,
  "machineName" | "machineAddresses" | "isContainer" | "cliPath"
> & {
  readonly logger: Logger;
};

/**
 * Announces a Gateway that listens, where it is to be; see {@link planDiscovery}. Returns at once:
 * start-up waits for nothing here, and nothing here can end the Gateway.
 */
export function startDiscovery({ logger, ...known }: DiscoveryInput): Announcement | undefined {
  const plan = planDiscovery({
    ...known,
    machineName: hostname(),
    machineAddresses: machineAddresses(),
    isContainer: isContainer(),
    cliPath: commandLineProgram(process.argv[1]),
  });
  if (!plan.announced) {
    logger.debug({ reason: plan.reason }, "gateway is not announced on the local network");
    return undefined;
  }
  return announce({
    facts: plan.facts,
    network: networkFromEnv(known.env),
    logger: logger.child({ subsystem: "discovery" }),
  });
}

function machineAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).filter(({ internal }) => !internal).map(({ address }) => address),
  );
}

/** The marks that Docker and Podman leave in what they run. */
function isContainer(): boolean {
  return ["/.dockerenv", "/run/.containerenv"].some((path) => existsSync(path));
}

/** The program that runs, where it is the command line and not the daemon. */
function commandLineProgram(script: string | undefined): string | undefined {
  const isCli = /^(openclaw|clawdbot|moltbot)(\.[cm]?js)?$/.test(basename(script ?? ""));
  return isCli ? script : undefined;
}
