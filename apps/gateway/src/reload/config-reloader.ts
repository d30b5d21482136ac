import { realpathSync } from "node:fs";
import { type Logger, messageOf } from "@openclaw/app-kit";
import { changedPaths, type LoadedConfig, loadKeyFacts, readConfigText } from "@openclaw/config";
import { planReload, type ReloadMode, type ReloadPlan } from "./plan-reload.ts";
import { createFileWatch, type WatchFolder } from "./watch-files.ts";

/** A config that was found right. */
export type GoodConfig = Extract<LoadedConfig, { ok: true }>;

/** Runs something later; returns what prevents it. */
export type Schedule = (work: () => void, delayMs: number) => () => void;

export interface ConfigReloaderOptions {
  configPath: string;
  /** What the Gateway was started with. */
  started: GoodConfig;
  /** Reads and checks the config again, as for a start. */
  read: () => Promise<LoadedConfig>;
  /** Why a Gateway would not start with a config, where it would not; such a config is not taken. */
  refuse?: (config: GoodConfig) => string | undefined;
  /**
   * Why a restart with a config would fail although the config is right, where it would. Asked last, and
   * only before a restart; such a config is not taken either.
   */
  refuseRestart?: (config: GoodConfig) => Promise<string | undefined>;
  /** Makes the running Gateway take on the hot parts. When it throws, the running config is kept. */
  apply: (config: GoodConfig, plan: ReloadPlan) => void | Promise<void>;
  /** Asks for a restart within this process; the reloader is done then. */
  restart: (plan: ReloadPlan) => void;
  /** Called whenever the Gateway works with all of the file that it can take on. @default nobody */
  onApplied?: (text: string | undefined) => void;
  logger: Pick<Logger, "info" | "warn" | "error" | "debug">;
  /** @default folders of the system's */
  watchFolder?: WatchFolder;
  /** @default a timer that keeps no process alive */
  schedule?: Schedule;
}

/** Keeps a running Gateway and its config file in step. */
export interface ConfigReloader {
  /** Begins to watch the file, and those that it includes. */
  start(): Promise<void>;
  /** Looks at the file now. Never rejects. */
  check(): Promise<void>;
  /** The text that the Gateway works with; `undefined` where there was no file. */
  readonly appliedText: string | undefined;
  stop(): void;
}

const WOULD_NOT_START =
  "the Gateway would not start with the changed config; the running one is kept";
const DEFAULT_DEBOUNCE_MS = 300;
/** A file that is written again and again is looked at after so many times the debounce. */
const MAX_DEBOUNCES = 10;
/** How often the file is looked at where its folder cannot be watched. */
const POLL_MS = 2_000;

const realSchedule: Schedule = (work, delayMs) => {
  const timer = setTimeout(work, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
};

/** See {@link ConfigReloader}. */
export function createConfigReloader(options: ConfigReloaderOptions): ConfigReloader {
  const { configPath, read, logger, schedule = realSchedule } = options;
  let running = options.started;
  let appliedText: string | undefined;
  let cancel: (() => void) | undefined;
  let postponed = 0;
  let isStopped = false;
  let lastProblem: string | undefined;
  let checking: Promise<void> = Promise.resolve();

  const files = createFileWatch(changed, cannotWatch, options.watchFolder);

  function changed(): void {
    if (isStopped) return;
    postponed += 1;
    if (postponed > MAX_DEBOUNCES && cancel !== undefined) return;
    later(running.config.gateway?.reload?.debounceMs ?? DEFAULT_DEBOUNCE_MS);
  }

  function later(delayMs: number): void {
    cancel?.();
    cancel = schedule(() => {
      cancel = undefined;
      postponed = 0;
      void check();
    }, delayMs);
  }

  function cannotWatch(error: unknown): void {
    if (isStopped) return;
    logger.debug(
      { error: messageOf(error) },
      "cannot watch the config; looking at it now and then",
    );
    if (cancel === undefined) later(POLL_MS);
  }

  /** One look at a time, in the order in which they were asked for. */
  function check(): Promise<void> {
    checking = checking.then(look).catch((error: unknown) => {
      logger.error({ error: messageOf(error) }, "the config could not be looked at");
    });
    return checking;
  }

  async function look(): Promise<void> {
    if (isStopped) return;
    const text = await readConfigText(configPath).catch(() => undefined);
    const loaded = await read();
    if (isStopped) return;
    files.arm(watchedFiles(configPath, loaded));
    if (!loaded.ok) {
      const problems = loaded.issues.map((issue) => `${issue.path}: ${issue.message}`);
      tellProblem("the config file is invalid; the running config is kept", problems);
      return;
    }
    // Nobody stops a Gateway by taking its config away.
    if (!loaded.exists && running.exists) {
      tellProblem("the config file is gone; the running config is kept", []);
      return;
    }
    const refusal = options.refuse?.(loaded);
    if (refusal !== undefined) {
      tellProblem(WOULD_NOT_START, [refusal]);
      return;
    }
    const paths = changedPaths(running.config, loaded.config);
    const { reloadKind } = await loadKeyFacts();
    const mode: ReloadMode = loaded.config.gateway?.reload?.mode ?? "hybrid";
    const plan = planReload(paths, mode, reloadKind);
    if (plan.left.length > 0) {
      logger.warn(
        { keys: plan.left, mode },
        mode === "off" ? "config change ignored" : "config change needs a restart",
      );
    }
    if (mode === "off") {
      lastProblem = undefined;
      return;
    }
    if (plan.kind === "restart") {
      const obstacle = await options.refuseRestart?.(loaded);
      if (isStopped) return;
      if (obstacle !== undefined) {
        tellProblem(WOULD_NOT_START, [obstacle]);
        return;
      }
      lastProblem = undefined;
      logger.info({ keys: plan.restart }, "config changed; the Gateway restarts");
      isStopped = true;
      options.restart(plan);
      return;
    }
    lastProblem = undefined;
    await take(loaded, text, plan);
  }

  async function take(
    loaded: GoodConfig,
    text: string | undefined,
    plan: ReloadPlan,
  ): Promise<void> {
    if (plan.kind === "hot") {
      try {
        await options.apply(loaded, plan);
      } catch (error) {
        logger.error(
          { keys: plan.hot, error: messageOf(error) },
          "the changed config cannot be applied; the running one is kept",
        );
        return;
      }
      logger.info({ keys: plan.hot }, "config change applied");
    }
    running = loaded;
    appliedText = text;
    if (plan.left.length === 0) options.onApplied?.(text);
  }

  function tellProblem(message: string, problems: readonly string[]): void {
    // A file is often written in several steps; the same fault is told once.
    const problem = [message, ...problems].join("\n");
    if (problem === lastProblem) return;
    lastProblem = problem;
    logger.error({ path: configPath, ...(problems.length > 0 ? { problems } : {}) }, message);
  }

  return {
    async start() {
      appliedText = await readConfigText(configPath).catch(() => undefined);
      files.arm(watchedFiles(configPath, running));
      // What was written between the reading and the watching.
      await check();
    },
    check,
    get appliedText() {
      return appliedText;
    },
    stop() {
      isStopped = true;
      cancel?.();
      files.close();
    },
  };
}

/** The file, the one behind it where it is a link, and those that it includes. */
function watchedFiles(configPath: string, loaded: LoadedConfig): readonly string[] {
  let real = configPath;
  try {
    real = realpathSync(configPath);
  } catch {
    // Not there yet.
  }
  return [...new Set([configPath, real, ...loaded.includes])];
}
