import { type Logger, messageOf } from "@openclaw/app-kit";
import { type Env, loadConfig, loadKeyFacts, markConfigGood, type Paths } from "@openclaw/config";
import type { Gateway } from "@openclaw/gateway-core";
import {
  changeRecordPath,
  configMethods,
  createPendingChange,
  type PendingChange,
} from "./config-methods/index.ts";
import { refuseOtherPlace } from "./refuse-other-place.ts";
import {
  type ConfigReloader,
  createConfigReloader,
  type GoodConfig,
  planReload,
  type ReloadPlan,
} from "./reload/index.ts";
import type { StartDecision, StartPlan } from "./start-plan.ts";
import { VERSION } from "./version.ts";

type Log = Pick<Logger, "info" | "warn" | "error">;

/** A change that waits for its confirmation, for a Gateway that is about to read its config. */
export interface WaitingChange {
  readonly pending: PendingChange;
  /** Where its story goes from now on, and what it had to tell before there was a log. */
  logTo(logger: Log): void;
}

/** Takes back what nobody has confirmed in time. To be called before the config is read. */
export async function resumeWaitingChange(
  { configPath, stateDir }: Pick<Paths, "configPath" | "stateDir">,
  env: Env,
): Promise<WaitingChange> {
  const held: ((logger: Log) => void)[] = [];
  let target: Log | undefined;
  const tell = (entry: (logger: Log) => void): void => {
    if (target === undefined) held.push(entry);
    else entry(target);
  };
  const logger: Log = {
    info: (fields, message) => tell((log) => log.info(fields, message)),
    warn: (fields, message) => tell((log) => log.warn(fields, message)),
    error: (fields, message) => tell((log) => log.error(fields, message)),
  };
  const recordPath = changeRecordPath(stateDir);
  const pending = createPendingChange({ configPath, recordPath, env, logger });
  await pending.resume();
  return {
    pending,
    logTo(log) {
      target = log;
      for (const entry of held.splice(0)) entry(log);
    },
  };
}

export interface LiveConfigOptions {
  gateway: Gateway;
  configPath: string;
  env: Env;
  /** What the Gateway was started with. */
  started: GoodConfig;
  /** Decides about a start with another config, flags and all. */
  plan: (loaded: GoodConfig) => StartDecision;
  pending: PendingChange;
  /** Asks for a restart within this process. */
  restart: () => void;
  logger: Logger;
}

/** The config of a Gateway that runs: served to operators, and followed on the disk. */
export interface LiveConfig {
  /** Begins to follow the file; the config has proved good by now. */
  start(): Promise<void>;
  stop(): void;
}

/** Adds the config methods to a Gateway that does not listen yet, and prepares to follow its file. */
export function createLiveConfig(options: LiveConfigOptions): LiveConfig {
  const { gateway, configPath, env, pending, logger } = options;
  const read = (): ReturnType<typeof loadConfig> => loadConfig({ path: configPath, env });
  const reloader: ConfigReloader = createConfigReloader({
    configPath,
    started: options.started,
    read,
    refuse(loaded) {
      const decision = options.plan(loaded);
      return decision.ok ? undefined : decision.refusal.message;
    },
    async refuseRestart(loaded) {
      // What waits for its confirmation is tried in earnest, and taken back at once where it fails.
      if (pending.isWaiting) return undefined;
      const [present, next] = [options.plan(options.started), options.plan(loaded)];
      return present.ok && next.ok ? refuseOtherPlace(present.plan, next.plan) : undefined;
    },
    apply: (loaded, changes) => applyLive(gateway, options.plan(loaded), changes),
    restart: options.restart,
    onApplied: (text) => pending.applied(text),
    logger,
  });
  const methods = configMethods({
    configPath,
    env,
    version: VERSION,
    broadcast: (event, payload) => gateway.broadcast(event, payload),
    appliedText: () => reloader.appliedText,
    async effectOf(paths) {
      const [{ reloadKind }, loaded] = await Promise.all([loadKeyFacts(), read()]);
      const mode = (loaded.ok ? loaded.config.gateway?.reload?.mode : undefined) ?? "hybrid";
      const { kind, left } = planReload(paths, mode, reloadKind);
      return { kind, ...(left.length > 0 ? { note: `${left.join(", ")} need a restart` } : {}) };
    },
    pending,
  });
  for (const method of methods) gateway.method(method);
  return {
    async start() {
      await markConfigGood(configPath).catch((error: unknown) =>
        // A folder that nobody may write to is no reason not to run.
        logger.debug(
          { error: messageOf(error) },
          "the config could not be kept as the last good one",
        ),
      );
      await reloader.start();
    },
    stop() {
      reloader.stop();
      pending.stop();
    },
  };
}

/** Makes a running Gateway take on what has changed. */
function applyLive(gateway: Gateway, decision: StartDecision, { hot }: ReloadPlan): void {
  if (!decision.ok) throw new Error(decision.refusal.message);
  const { plan } = decision;
  const isChanged = (prefix: string): boolean => hot.some((path) => path.startsWith(prefix));
  const isLimit = (path: string): boolean => path.startsWith("gateway.auth.rateLimit");
  const isAuthChanged = hot.some((path) => path.startsWith("gateway.auth.") && !isLimit(path));
  // Given back only by a restart, which knows whom to ask.
  const mustBringSecret = plan.tailscale.mode !== "off" && !plan.tailscale.allowIdentity;
  gateway.update({
    ...(isAuthChanged ? authOf(plan) : {}),
    ...(isAuthChanged && mustBringSecret ? { tailnet: {} } : {}),
    ...(hot.some(isLimit) ? { throttle: plan.rateLimit } : {}),
    ...(isChanged("gateway.controlUi.allowedOrigins")
      ? { allowedOrigins: plan.allowedOrigins }
      : {}),
    ...(isChanged("gateway.trustedProxies") ? { trustedProxies: plan.trustedProxies } : {}),
    ...(isChanged("gateway.nodes.") ? { commands: plan.commands } : {}),
  });
}

/** A secret that was made for one run is not made anew within it. */
function authOf({ auth, isRunOnlySecret }: StartPlan): Pick<Partial<StartPlan>, "auth"> {
  if (isRunOnlySecret)
    throw new Error("the changed config has no secret; restart to get a new one");
  return { auth };
}
