import { certificatePlace, listenForStop, messageOf, type ProgramIo } from "@openclaw/app-kit";
import { type Env, loadConfig, type LoadedConfig, type Paths } from "@openclaw/config";
import { type Exposure, tailnetAddresses } from "@openclaw/exposure";
import type { Gateway } from "@openclaw/gateway-core";
import { prepareDev } from "./dev-config.ts";
import {
  createLiveConfig,
  type LiveConfig,
  resumeWaitingChange,
  type WaitingChange,
} from "./live-config.ts";
import { findNeighbours, neighbourWarnings } from "./lock/neighbours.ts";
import { openRunLog } from "./logs/run-log.ts";
import { migrateAtStart } from "./migrate-at-start.ts";
import { readPasswordFile } from "./password-file.ts";
import { describeHolder } from "./port-holder.ts";
import { releasePort } from "./release-port.ts";
import { chooseWsLog, idleFlagWarnings, refuseFlags } from "./run-flags.ts";
import { begin, serve, type Wishes, withdraw } from "./serve-gateway.ts";
import { startGateway } from "./start-gateway.ts";
import {
  type GatewayRunFlags,
  planStart,
  type StartDecision,
  type StartPlan,
} from "./start-plan.ts";
import type { StartRefusal } from "./start-refusal.ts";
import { VERSION } from "./version.ts";

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
        const known = new Set(secrets);
        if (next.ok) secrets.push(...secretsOf(next.plan).filter((secret) => !known.has(secret)));
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
    const started = await startGateway(plan, surroundings);
    if (started === "stopped") return 0;
    if ("refusal" in started) return tell(io, started.refusal);
    const serving = { ...input, ...started, env, config, plan, logger, wishes };
    return await serve(serving, await begin(serving, live.config));
  } finally {
    live.config?.stop();
    log.close();
  }
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
