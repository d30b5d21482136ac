import { hostname } from "node:os";
import process from "node:process";
import {
  type CertificatePlace,
  certificatePlace,
  closeInTime,
  listenForStop,
  type Logger,
  messageOf,
  type ProgramIo,
  runTokenPath,
  type StopRequest,
  writeRunToken,
} from "@openclaw/app-kit";
import {
  type Env,
  loadConfig,
  type LoadedConfig,
  type OpenClawConfig,
  type Paths,
} from "@openclaw/config";
import {
  type Exposure,
  type GatewayCertificate,
  tailnetAddresses,
  type Tailscale,
} from "@openclaw/exposure";
import type { Gateway } from "@openclaw/gateway-core";
import { awaitTailnet } from "./await-tailnet.ts";
import { bannerLines } from "./banner.ts";
import { prepareDev } from "./dev-config.ts";
import { startDiscovery } from "./discovery/start-discovery.ts";
import { type InstanceWays, writeInstance } from "./instance-file.ts";
import { listenEverywhere, type Listening } from "./listen-everywhere.ts";
import {
  createLiveConfig,
  type LiveConfig,
  resumeWaitingChange,
  type WaitingChange,
} from "./live-config.ts";
import { findNeighbours, neighbourWarnings } from "./lock/neighbours.ts";
import { logMethods } from "./logs/log-methods.ts";
import { openRunLog, type RunLog } from "./logs/run-log.ts";
import { migrateAtStart } from "./migrate-at-start.ts";
import { openGateway } from "./open-gateway.ts";
import { readPasswordFile } from "./password-file.ts";
import { describeHolder } from "./port-holder.ts";
import { refusedListen } from "./refused-listen.ts";
import { releasePort } from "./release-port.ts";
import { chooseWsLog, idleFlagWarnings, refuseFlags, type WsLogChoice } from "./run-flags.ts";
import {
  type GatewayRunFlags,
  planStart,
  type StartDecision,
  type StartPlan,
} from "./start-plan.ts";
import type { StartRefusal } from "./start-refusal.ts";
import { expose, startTailscale } from "./start-tailscale.ts";
import { startTls } from "./start-tls.ts";
import { VERSION } from "./version.ts";
import { reachableUrls, shownUrls, type WaysIn } from "./ways-in.ts";
import { wsLogHooks } from "./ws-log.ts";

export interface RunGatewayInput {
  flags: GatewayRunFlags;
  io: ProgramIo;
  /** The environment that counts, when profile or `.env` files added to `io.env`. @default io.env */
  env?: Env;
  paths: Paths;
  /** Name under which the program was started; see `migrateState`. @default "openclaw" */
  programName?: string;
  /** How the user called this, for hints. @default "openclaw gateway run" */
  command?: string;
  /** How to stop a Gateway that runs already on this system, a line each. */
  stopHints?: readonly string[];
  /** Stops the Gateway as a first signal does. */
  signal?: AbortSignal;
  /** Called each time the Gateway answers, with its address. */
  onReady?: (address: { url: string; port: number }) => void;
}

/** A close that takes longer than this is cut short. */
const CLOSE_TIMEOUT_MS = 5_000;
/** Told to peers when the Gateway begins again in the same process. */
const RESTART_EXPECTED_MS = 1_000;

/**
 * Runs a Gateway in the foreground until a stop signal; asked to restart, it reads its config again
 * and begins anew in the same process. Returns the exit code: 0 after a signal, 78
 * when configuration is in the way, 1 otherwise.
 */
export async function runGateway(input: RunGatewayInput): Promise<number> {
  const read = await readFlags(input);
  if ("refusal" in read) return tell(input.io, read.refusal);
  let flags = read;
  const stop = listenForStop(input.io, input.signal);
  // Listened for all the while: a request that comes between two generations is met by the next one,
  // and must not end the process.
  let requestRestart = (): void => {};
  const offRestart = input.io.onRestart(() => requestRestart());
  const left: { exposure?: Exposure | undefined } = {};
  try {
    const paths = await migrateAtStart({ ...input, env: input.env ?? input.io.env });
    for (;;) {
      const restart = Promise.withResolvers<"restart">();
      requestRestart = () => restart.resolve("restart");
      const wishes: Wishes = {
        stop: stop.requested,
        restart: restart.promise,
        ask: () => restart.resolve("restart"),
        left,
      };
      // One generation ends before the next begins: they share port, lock and state.
      // oxlint-disable-next-line no-await-in-loop
      const outcome = await runGeneration({ ...input, paths, flags }, wishes);
      if (outcome !== "restart") return outcome;
      // Whoever takes the port from now on was not there when it was to be freed.
      flags = { ...flags, force: false };
    }
  } finally {
    offRestart();
    stop.release();
    // Left for a next generation; one that came to be has taken it over, and this does nothing.
    await withdraw(left.exposure, (error) =>
      input.io.stderr.write(`The tailscale route was not taken back: ${messageOf(error)}\n`),
    );
  }
}

/** The flags with what they point to, and what they ask for done that comes before any config. */
async function readFlags({
  flags,
  io,
  env = io.env,
  paths,
}: RunGatewayInput): Promise<GatewayRunFlags | { refusal: StartRefusal }> {
  const wrong = refuseFlags(flags);
  if (wrong !== undefined) return { refusal: wrong };
  if (flags.dev === true) {
    const prepared = await prepareDev({ reset: flags.reset === true, paths, env });
    if ("refusal" in prepared) return prepared;
    for (const note of prepared.notes) io.stderr.write(`${note}\n`);
  }
  return readPasswordFile(flags);
}

/** What ends a generation. */
interface Wishes {
  readonly stop: StopRequest["requested"];
  readonly restart: Promise<"restart">;
  /** Asks for a restart from within. */
  ask(): void;
  /** What a generation leaves to the next one although it is to be gone when the process ends. */
  readonly left: { exposure?: Exposure | undefined };
}

/** One generation; a changed config with which it does not start is taken back where that was agreed. */
async function runGeneration(input: RunGatewayInput, wishes: Wishes): Promise<number | "restart"> {
  const waiting = await resumeWaitingChange(input.paths, input.env ?? input.io.env);
  try {
    const outcome = await runWithConfig(input, wishes, waiting);
    const hasFailed = outcome !== 0 && outcome !== "restart";
    if (!hasFailed || !(await waiting.pending.takeBack("the Gateway did not start with it"))) {
      return outcome;
    }
    input.io.stderr.write("The config change that nobody had confirmed was taken back.\n");
    return "restart";
  } finally {
    waiting.pending.stop();
  }
}

/** From reading the config to letting go of everything again. */
async function runWithConfig(
  input: RunGatewayInput,
  wishes: Wishes,
  waiting: WaitingChange,
): Promise<number | "restart"> {
  const { io, paths, flags, command = "openclaw gateway run" } = input;
  const env = input.env ?? io.env;
  const loaded = await loadConfig({ path: paths.configPath, env, version: VERSION });
  const tailnet = tailnetAddresses();
  const planWith = (config: LoadedConfig): StartDecision =>
    planStart({ flags, env, paths, loaded: config, command, tailnet });
  const decision = planWith(loaded);
  if (!decision.ok) return tell(io, decision.refusal);
  const { plan } = decision;
  const config = loaded.ok ? loaded.config : {};
  const verbose = flags.verbose === true;
  const secrets = [...secretsOf(plan)];
  const log = openRunLog({ io, config, env, paths, verbose, secrets });
  const { logger } = log;
  waiting.logTo(logger);
  const live: { config?: LiveConfig } = {};
  const prepare = (gateway: Gateway): void => {
    // What could not be read was refused above.
    if (!loaded.ok) return;
    live.config = createLiveConfig({
      gateway,
      configPath: paths.configPath,
      env,
      started: loaded,
      plan(changed) {
        const next = planWith(changed);
        // Whatever it takes on while it runs is blanked in the log as well.
        if (next.ok) secrets.push(...secretsOf(next.plan));
        return next;
      },
      pending: waiting.pending,
      restart: () => wishes.ask(),
      logger,
    });
  };
  try {
    const neighbours = plan.port === 0 ? [] : findNeighbours(paths.home, paths.stateDir);
    const warnings = [
      ...plan.warnings,
      ...neighbourWarnings(plan.port, neighbours),
      ...idleFlagWarnings(flags),
    ];
    for (const warning of warnings) logger.warn({}, warning);
    if (flags.force === true && plan.port !== 0) {
      const isInteractive = io.stderr.isTTY === true;
      const released = await releasePort({ port: plan.port, isInteractive });
      if ("refusal" in released) return tell(io, released.refusal);
      for (const holder of released.ended) {
        logger.warn({ holder: describeHolder(holder) }, "ended, for it held the port");
      }
    }
    io.stdout.write("🚀 Gateway starting...\n");
    const place = certificatePlace(paths, config);
    const surroundings = {
      env,
      stateDir: paths.stateDir,
      log,
      place,
      prepare,
      stop: wishes.stop,
      wsLog: chooseWsLog(flags),
      stopHints: input.stopHints ?? [],
    };
    const started = await start(plan, surroundings);
    if (started === "stopped") return 0;
    if ("refusal" in started) return tell(io, started.refusal);
    const serving = { ...input, ...started, env, config, plan, logger, wishes };
    return await serve(serving, await begin(serving, live.config));
  } finally {
    live.config?.stop();
    log.close();
  }
}

/** A Gateway that listens, and the ways in that were opened for it. */
interface Started {
  readonly gateway: Gateway;
  readonly listening: Listening;
  readonly certificate: GatewayCertificate | undefined;
  readonly exposure: Exposure | undefined;
}

/** What a start works with besides its plan. */
interface StartSurroundings {
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

type StartOutcome = Started | { refusal: StartRefusal } | "stopped";

/** Opens one thing after the other; when one fails, those before it are closed again. */
async function start(
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
    allowedHosts: await ownNames(plan, tailscale),
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
    await gateway.close();
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
  ways.exposed = exposed.exposure.wsUrl;
  return { gateway, listening, certificate, exposure: exposed.exposure };
}

interface Serving extends RunGatewayInput, Started {
  env: Env;
  config: OpenClawConfig;
  plan: StartPlan;
  logger: Logger;
  wishes: Wishes;
}

/** What is there while a Gateway serves, and goes with it. */
interface Public {
  readonly announcement: ReturnType<typeof announceGateway>;
  readonly cleanUps: readonly (() => void)[];
}

/** Tells everybody of a Gateway that listens. When that fails, all that was opened is closed again. */
async function begin(serving: Serving, live: LiveConfig | undefined): Promise<Public> {
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

async function serve(
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
async function withdraw(
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

/** The names that a browser may know this machine by. */
async function ownNames(plan: StartPlan, tailscale: Tailscale | undefined): Promise<string[]> {
  const host = hostname().toLowerCase();
  const [label = host] = host.split(".");
  const status = await tailscale?.status().catch(() => undefined);
  // Addresses need no entry, and an IPv6 address could be none.
  const names = [host, `${label}.local`, status?.dnsName, ...plan.allowedHosts];
  return [...new Set(names.filter((name) => name !== undefined))];
}

function tell(io: ProgramIo, refusal: StartRefusal): number {
  io.stderr.write(`Gateway not started: ${refusal.message}\n`);
  for (const hint of refusal.hints) io.stderr.write(`  ${hint}\n`);
  return refusal.exitCode;
}

function secretsOf({ auth }: StartPlan): (string | undefined)[] {
  switch (auth.mode) {
    case "token":
      return [auth.token];
    case "password":
    case "trusted-proxy":
      return [auth.password];
    case "none":
      return [];
  }
}
