import { hostname } from "node:os";
import type { CertificatePlace } from "@openclaw/app-kit";
import type { Env } from "@openclaw/config";
import type { Exposure, GatewayCertificate, Tailscale } from "@openclaw/exposure";
import type { Gateway } from "@openclaw/gateway-core";
import { listenEverywhere, type Listening } from "./listen-everywhere.ts";
import { logMethods } from "./logs/log-methods.ts";
import type { RunLog } from "./logs/run-log.ts";
import { openGateway } from "./open-gateway.ts";
import { refusedListen } from "./refused-listen.ts";
import type { WsLogChoice } from "./run-flags.ts";
import type { StartPlan } from "./start-plan.ts";
import type { StartRefusal } from "./start-refusal.ts";
import { expose, startTailscale } from "./start-tailscale.ts";
import { startTls } from "./start-tls.ts";
import { reachableUrls, type WaysIn } from "./ways-in.ts";
import { wsLogHooks } from "./ws-log.ts";

/** A Gateway that listens, and the ways in that were opened for it. */
export interface Started {
  readonly gateway: Gateway;
  readonly listening: Listening;
  readonly certificate: GatewayCertificate | undefined;
  readonly exposure: Exposure | undefined;
}

/** What a start works with besides its plan. */
export interface StartSurroundings {
  readonly env: Env;
  readonly stateDir: string;
  readonly log: RunLog;
  readonly place: CertificatePlace;
  /** Called before anybody can connect. */
  readonly prepare: (gateway: Gateway) => void;
  /** Settles when somebody does not want to wait any longer. */
  readonly stop: Promise<unknown>;
  readonly wsLog: WsLogChoice;
  readonly stopHints: readonly string[];
}

export type StartOutcome = Started | { refusal: StartRefusal } | "stopped";

/** Opens one thing after the other; when one fails, those before it are closed again. */
export async function startGateway(
  plan: StartPlan,
  { env, stateDir, log, place, prepare, stop, wsLog, stopHints }: StartSurroundings,
): Promise<StartOutcome> {
  const { logger } = log;
  const tls = plan.tls === undefined ? undefined : await startTls(plan.tls, plan, place);
  if (tls !== undefined && "refusal" in tls) return tls;
  const certificate = tls?.certificate;
  for (const warning of certificate?.warnings ?? []) logger.warn({}, warning);
  const tailscale = await startTailscale({ plan: plan.tailscale, env, stateDir, logger });

  const ways: WaysIn = { listening: [], exposed: undefined };
  const givenUp = new AbortController();
  void stop.then(() => givenUp.abort());
  const options = {
    logger,
    hooks: wsLogHooks(wsLog, logger),
    allowedHosts: ownNames(plan),
    setup: {
      urls: () => reachableUrls(ways),
      // One pin holds for all addresses of a code, and a name that Tailscale serves has another certificate.
      tlsFingerprint: () => (ways.exposed === undefined ? certificate?.fingerprint : undefined),
    },
    ...(tailscale === undefined
      ? {}
      : { tailnet: plan.tailscale.allowIdentity ? { whois: tailscale.whois } : {} }),
  };
  const { signal } = givenUp;
  const opened = await openGateway(plan, { stateDir, stopHints, signal }, options);
  if ("refusal" in opened) return signal.aborted ? "stopped" : opened;
  const { gateway } = opened;
  let outcome: StartOutcome | undefined;
  try {
    for (const method of logMethods(log.location)) gateway.method(method);
    prepare(gateway);
    outcome = await open({ gateway, plan, stateDir, certificate, tailscale, ways, signal });
    return outcome;
  } finally {
    // However it ended, but for a Gateway that runs: refused, stopped, or thrown.
    if (typeof outcome !== "object" || "refusal" in outcome) await gateway.close();
  }
}

/** Opens the ways in to a Gateway. */
async function open({
  gateway,
  plan,
  stateDir,
  certificate,
  tailscale,
  ways,
  signal,
}: {
  gateway: Gateway;
  plan: StartPlan;
  stateDir: string;
  certificate: GatewayCertificate | undefined;
  tailscale: Tailscale | undefined;
  ways: WaysIn;
  signal: AbortSignal;
}): Promise<StartOutcome> {
  let listening: Listening;
  try {
    listening = await listenEverywhere(gateway, plan, certificate);
  } catch (error) {
    return { refusal: await refusedListen(error, plan) };
  }
  ways.listening = listening.urls;
  if (tailscale === undefined) return { gateway, listening, certificate, exposure: undefined };
  const exposed = await expose(
    tailscale,
    { plan: plan.tailscale, stateDir },
    { port: listening.port, isTls: certificate !== undefined, signal },
  );
  if (exposed === "stopped" || "refusal" in exposed) return exposed;
  const { wsUrl } = exposed.exposure;
  ways.exposed = wsUrl;
  gateway.update({ allowedHosts: [...ownNames(plan), new URL(wsUrl).hostname] });
  return { gateway, listening, certificate, exposure: exposed.exposure };
}

/** The names that a browser may know this machine by, whatever way it comes. */
function ownNames({ allowedHosts }: StartPlan): string[] {
  const host = hostname().toLowerCase();
  const [label = host] = host.split(".");
  // Addresses need no entry, and an IPv6 address could be none.
  return [...new Set([host, `${label}.local`, ...allowedHosts])];
}
