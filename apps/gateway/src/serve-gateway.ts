import process from "node:process";
import {
  closeInTime,
  type Logger,
  type ProgramIo,
  runTokenPath,
  type StopRequest,
  writeRunToken,
} from "@openclaw/app-kit";
import type { Env, OpenClawConfig, Paths } from "@openclaw/config";
import type { Exposure } from "@openclaw/exposure";
import { awaitTailnet } from "./await-tailnet.ts";
import { bannerLines } from "./banner.ts";
import { startDiscovery } from "./discovery/start-discovery.ts";
import { type InstanceWays, writeInstance } from "./instance-file.ts";
import type { LiveConfig } from "./live-config.ts";
import type { Started } from "./start-gateway.ts";
import type { StartPlan } from "./start-plan.ts";
import { VERSION } from "./version.ts";
import { shownUrls } from "./ways-in.ts";

/** A close that takes longer than this is cut short. */
const CLOSE_TIMEOUT_MS = 5_000;
/** Told to peers when the Gateway begins again in the same process. */
const RESTART_EXPECTED_MS = 1_000;

/** What ends a generation. */
export interface Wishes {
  readonly stop: StopRequest["requested"];
  readonly restart: Promise<"restart">;
  /** Asks for a restart from within. */
  ask(): void;
  /** What a generation leaves to the next one although it is to be gone when the process ends. */
  readonly left: { exposure?: Exposure | undefined };
}

/** A Gateway that listens, and whom it is for. */
export interface Serving extends Started {
  io: ProgramIo;
  paths: Paths;
  env: Env;
  config: OpenClawConfig;
  plan: StartPlan;
  logger: Logger;
  wishes: Wishes;
  onReady?: ((address: { url: string; port: number }) => void) | undefined;
}

/** What is there while a Gateway serves, and goes with it. */
interface Public {
  readonly announcement: ReturnType<typeof announceGateway>;
  readonly cleanUps: readonly (() => void)[];
}

/** Tells everybody of a Gateway that listens. When that fails, all that was opened is closed again. */
export async function begin(serving: Serving, live: LiveConfig | undefined): Promise<Public> {
  const { io, plan, listening, logger, paths, exposure } = serving;
  const { port, urls } = listening;
  const url = urls[0] ?? `ws://127.0.0.1:${port}`;
  const ways = waysOf(serving);
  const cleanUps: (() => void)[] = [];
  try {
    await live?.start();
    const startedAtMs = Date.now();
    const instance = { pid: process.pid, port, url, version: VERSION, startedAtMs };
    const record = (): (() => void) =>
      writeInstance(paths.stateDir, { ...instance, ways: waysOf(serving) });
    cleanUps.push(record());
    if (plan.isRunOnlySecret && plan.auth.mode === "token") {
      cleanUps.push(
        writeRunToken(paths.stateDir, { token: plan.auth.token, port, pid: process.pid }),
      );
      logger.info(
        { path: runTokenPath(paths.stateDir) },
        "commands on this host find the run's secret here",
      );
    }
    const add = async (host: string): Promise<string> => {
      const added = await listening.add(host);
      record();
      return added;
    };
    if (plan.awaitsTailnet === true) cleanUps.push(awaitTailnet({ add }, { logger }));
    for (const line of bannerLines({ url, ways })) io.stdout.write(`${line}\n`);
    if (io.stderr.isTTY === true) io.stderr.write("Stop it with Ctrl-C.\n");
    serving.onReady?.({ url, port });
    return { announcement: announceGateway(serving), cleanUps };
  } catch (error) {
    for (const cleanUp of cleanUps) cleanUp();
    await withdraw(exposure, notTakenBack(logger));
    await listening.close();
    throw error;
  }
}

export async function serve(
  { io, plan, listening, exposure, logger, wishes }: Serving,
  { announcement, cleanUps }: Public,
): Promise<number | "restart"> {
  const reason = await Promise.race([wishes.stop, wishes.restart]);
  const isRestart = reason === "restart";
  logger.info({ reason }, isRestart ? "gateway restarting" : "gateway stopping");
  try {
    await closeInTime(
      async () => {
        if (plan.tailscale.resetOnExit && isRestart) wishes.left.exposure = exposure;
        else if (plan.tailscale.resetOnExit) await withdraw(exposure, notTakenBack(logger));
        await announcement?.close();
        await listening.close(isRestart ? { restartExpectedMs: RESTART_EXPECTED_MS } : {});
      },
      {
        io,
        timeoutMs: CLOSE_TIMEOUT_MS,
        onTimeout: () =>
          logger.error({ timeoutMs: CLOSE_TIMEOUT_MS }, "gateway did not close in time"),
      },
    );
  } finally {
    for (const cleanUp of cleanUps) cleanUp();
  }
  return isRestart ? "restart" : 0;
}

/** Tells the local network, where the config and the way of listening say so. */
function announceGateway({ config, env, paths, plan, listening, certificate, logger }: Serving) {
  return startDiscovery({
    config,
    env,
    profile: paths.profile,
    hosts: plan.hosts,
    port: listening.port,
    tls: certificate,
    logger,
  });
}

/** What is told of the ways to it: on the screen now, and to commands later. */
function waysOf({ plan, listening, exposure, certificate }: Serving): InstanceWays {
  return {
    urls: shownUrls(listening.urls),
    authMode: plan.auth.mode,
    ...(exposure === undefined
      ? {}
      : { exposure: { mode: exposure.mode, url: exposure.url, wsUrl: exposure.wsUrl } }),
    ...(certificate === undefined ? {} : { tlsFingerprint: certificate.fingerprint }),
  };
}

/** Takes the route back; a Gateway that stops does so even when that fails. */
export async function withdraw(
  exposure: Exposure | undefined,
  failed: (error: unknown) => void,
): Promise<void> {
  try {
    await exposure?.withdraw();
  } catch (error) {
    failed(error);
  }
}

function notTakenBack(logger: Logger): (error: unknown) => void {
  return (error) => logger.warn({ error }, "the tailscale route was not taken back");
}
