import { existsSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { auditService, type AuditOptions } from "../audit/service-audit.ts";
import {
  namesOf,
  type ServiceDefinition,
  type ServiceRef,
} from "../definition/service-definition.ts";
import type { ServiceKind } from "../definition/service-names.ts";
import type { ParsedService, Supervisor } from "../definition/parsed-service.ts";
import { ServiceError } from "../errors.ts";
import { launchdDriver } from "../launchd/launchd-driver.ts";
import {
  findLeftovers,
  type FindLeftoversOptions,
  type Leftover,
} from "../leftovers/find-leftovers.ts";
import { type RemovedLeftover, removeLeftover } from "../leftovers/remove-leftover.ts";
import { systemdDriver } from "../systemd/systemd-driver.ts";
import { taskDriver } from "../windows/task-driver.ts";
import { createCommandRunner, type CommandRunner } from "./command-runner.ts";
import {
  makeDirectory,
  moveToTrash,
  readDefinition,
  removeDefinition,
  writeDefinition,
} from "./definition-file.ts";
import { listServices } from "./list-services.ts";
import { type ServiceStatus, shownCommand } from "./service-status.ts";
import type { Machine, StopOptions, SupervisorDriver } from "./supervisor.ts";

export interface ServiceManagerOptions {
  /** @default process.platform */
  platform?: NodeJS.Platform;
  /** Home directory. @default os.homedir() */
  home?: string;
  /** @default that of the process */
  uid?: number;
  /** Name of the user. @default os.userInfo() */
  user?: string;
  /** State directory of the profile; Windows keeps its scripts there. @default `<home>/.openclaw` */
  stateDir?: string;
  /** What the system's commands get of the environment. @default nothing but PATH and HOME */
  env?: Readonly<Record<string, string | undefined>>;
  /** Runs the system's commands. @default the real thing */
  run?: CommandRunner;
  /** Waits. @default the real thing */
  sleep?: (ms: number) => Promise<void>;
  /** In front of the system's own folders, for tests. @default "" */
  systemRoot?: string;
}

export interface InstallOptions {
  /** Replaces a service that is there. @default false */
  force?: boolean;
  /** Linux: asks that the user's services run without a login, too. @default false */
  enableLinger?: boolean;
  /** Called when the supervisor answers and the service is going to be written; a failure ends it. */
  prepare?: () => Promise<void> | void;
}

export interface InstallOutcome {
  readonly result: "installed" | "already-installed" | "updated";
  readonly label: string;
  /** The definition. */
  readonly path: string;
  /** Where a definition that somebody else had written was kept. */
  readonly backupPath?: string;
  readonly warnings: readonly string[];
}

export interface UninstallOutcome {
  readonly result: "uninstalled" | "not-installed";
  readonly label: string;
  readonly path: string;
  /** macOS: where the definition went. */
  readonly movedTo?: string;
}

/** `not-loaded`: there is no such service, so nothing was done. */
export interface ActionOutcome<Done extends string> {
  readonly result: Done | "not-loaded";
  readonly label: string;
}

/** A service of this package that was found on the machine. */
export interface InstalledService {
  readonly ref: ServiceRef;
  readonly status: ServiceStatus;
}

/** The services of one user. Every method throws {@link ServiceError}. */
export interface ServiceManager {
  readonly supervisor: Supervisor;
  /** What the supervisor calls a service. */
  label(ref: ServiceRef): string;
  /** Where the definition of a service is, or would be. */
  definitionPath(ref: ServiceRef): string;
  /** Whether there is a definition. Asks nobody, and costs nothing. */
  isInstalled(ref: ServiceRef): boolean;
  /** Writes the definition and starts the service. A failure leaves things as they were. */
  install(definition: ServiceDefinition, options?: InstallOptions): Promise<InstallOutcome>;
  /** Stops the service and removes its definition. */
  uninstall(ref: ServiceRef): Promise<UninstallOutcome>;
  start(ref: ServiceRef): Promise<ActionOutcome<"started">>;
  stop(ref: ServiceRef, options?: StopOptions): Promise<ActionOutcome<"stopped">>;
  restart(ref: ServiceRef): Promise<ActionOutcome<"restarted">>;
  status(ref: ServiceRef, audit?: AuditOptions): Promise<ServiceStatus>;
  /** The definition as it stands, variables included; undefined when there is none. */
  read(ref: ServiceRef): Promise<ParsedService | undefined>;
  /** Every service of a kind, of all profiles. */
  list(kind: ServiceKind): Promise<InstalledService[]>;
  /** What earlier releases and tutorials have left. */
  findLeftovers(options?: FindLeftoversOptions): Promise<Leftover[]>;
  /** Stops a leftover and removes it. */
  removeLeftover(leftover: Leftover): Promise<RemovedLeftover>;
}

/**
 * Manages the services of a user with what the system has for it: launchd, the user's systemd, the
 * Task Scheduler.
 *
 * @throws {@link ServiceError} `UNSUPPORTED_PLATFORM`
 */
export function createServiceManager(options: ServiceManagerOptions = {}): ServiceManager {
  const machine = resolveMachine(options);
  const driver = chooseDriver(options.platform ?? process.platform, machine);

  async function parsed(ref: ServiceRef): Promise<ParsedService | undefined> {
    const path = driver.definitionPath(namesOf(ref));
    const content = await readDefinition(path);
    return content === undefined ? undefined : driver.parse(content, path);
  }

  async function status(ref: ServiceRef, audit: AuditOptions = {}): Promise<ServiceStatus> {
    const names = namesOf(ref);
    const path = driver.definitionPath(names);
    const [service, loaded, runtime] = await Promise.all([
      parsed(ref).catch((error: unknown) => unreadable(error)),
      driver.isLoaded(names).catch(() => false),
      driver.runtime(names).catch((error: unknown) => unknownRuntime(error)),
    ]);
    const isReadable = service !== undefined && !(service instanceof ServiceError);
    const issues = isReadable ? auditService(ref.kind, service, audit) : unreadableIssue(service);
    return {
      label: driver.label(names),
      loaded,
      loadedText: driver.loadedText,
      notLoadedText: driver.notLoadedText,
      command: isReadable ? shownCommand(service, path) : null,
      runtime:
        service === undefined && runtime.status === "stopped"
          ? { ...runtime, missingUnit: true }
          : runtime,
      configAudit: { ok: issues.length === 0, issues },
    };
  }

  async function whenInstalled<Done extends string>(
    ref: ServiceRef,
    done: Done,
    act: () => Promise<void>,
  ): Promise<ActionOutcome<Done>> {
    const names = namesOf(ref);
    const label = driver.label(names);
    if (!existsSync(driver.definitionPath(names))) return { result: "not-loaded", label };
    await act();
    return { result: done, label };
  }

  return {
    supervisor: driver.supervisor,
    label: (ref) => driver.label(namesOf(ref)),
    definitionPath: (ref) => driver.definitionPath(namesOf(ref)),
    isInstalled: (ref) => existsSync(driver.definitionPath(namesOf(ref))),
    read: parsed,
    status,

    async install(definition, { force = false, enableLinger = false, prepare } = {}) {
      const text = driver.render(definition);
      const names = namesOf(definition);
      const path = driver.definitionPath(names);
      const label = driver.label(names);
      await driver.assertAvailable();
      const before = await readDefinition(path);
      if (before !== undefined && !force && (await driver.isLoaded(names))) {
        const warnings = await driver.warnings({ enableLinger });
        return { result: "already-installed", label, path, warnings };
      }
      await prepare?.();
      const backupPath = await keepForeign(path, before);
      if (definition.logs !== undefined) {
        await makeDirectory(dirname(definition.logs.stdout));
        await makeDirectory(dirname(definition.logs.stderr));
      }
      await writeDefinition(path, text);
      try {
        await driver.activate(names, definition);
      } catch (error) {
        await restore(driver, definition, before);
        throw error;
      }
      return {
        result: before === undefined ? "installed" : "updated",
        label,
        path,
        ...(backupPath === undefined ? {} : { backupPath }),
        warnings: await driver.warnings({ enableLinger }),
      };
    },

    async uninstall(ref) {
      const names = namesOf(ref);
      const path = driver.definitionPath(names);
      const label = driver.label(names);
      const isThere = (await readDefinition(path)) !== undefined;
      // launchd and the Task Scheduler may know a service whose file somebody has deleted.
      const isKnown = isThere || (await driver.isLoaded(names));
      if (!isKnown) return { result: "not-installed", label, path };
      await driver.deactivate(names);
      const movedTo =
        isThere && driver.supervisor === "launchd"
          ? await moveToTrash(path, machine.home)
          : undefined;
      await removeDefinition(path);
      await driver.forget(names);
      return {
        result: "uninstalled",
        label,
        path,
        ...(movedTo === undefined ? {} : { movedTo }),
      };
    },

    start: (ref) => whenInstalled(ref, "started", () => driver.start(namesOf(ref))),
    stop: (ref, stopOptions = {}) =>
      whenInstalled(ref, "stopped", () => driver.stop(namesOf(ref), stopOptions)),
    restart: (ref) => whenInstalled(ref, "restarted", () => driver.restart(namesOf(ref))),

    async list(kind) {
      const refs = await listServices(driver, kind);
      return Promise.all(refs.map(async (ref) => ({ ref, status: await status(ref) })));
    },
    findLeftovers: (leftoverOptions) => findLeftovers(driver, machine, leftoverOptions),
    removeLeftover: (leftover) => removeLeftover(driver, machine, leftover),
  };
}

function resolveMachine(options: ServiceManagerOptions): Machine {
  const home = options.home ?? homedir();
  const uid = options.uid ?? process.getuid?.() ?? 0;
  const env = options.env ?? { PATH: "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", HOME: home };
  return {
    home,
    uid,
    user: options.user ?? userInfo().username,
    stateDir: options.stateDir ?? join(home, ".openclaw"),
    run: options.run ?? createCommandRunner({ env: withRuntimeDirectory(env, uid) }),
    sleep: options.sleep ?? ((ms) => delay(ms)),
    systemRoot: options.systemRoot ?? "",
  };
}

/** Shells of cron and su lack it, although the user's manager runs. */
function withRuntimeDirectory(
  env: Readonly<Record<string, string | undefined>>,
  uid: number,
): Readonly<Record<string, string | undefined>> {
  if (env["XDG_RUNTIME_DIR"] !== undefined || process.platform !== "linux") return env;
  return { ...env, XDG_RUNTIME_DIR: `/run/user/${uid}` };
}

function chooseDriver(platform: NodeJS.Platform, machine: Machine): SupervisorDriver {
  switch (platform) {
    case "linux":
      return systemdDriver(machine);
    case "darwin":
      return launchdDriver(machine);
    case "win32":
      return taskDriver(machine);
    default:
      throw new ServiceError(
        "UNSUPPORTED_PLATFORM",
        `services are managed on Linux, macOS and Windows, not on ${platform}.`,
        { hints: ["Run the program in the foreground, under whatever starts programs here."] },
      );
  }
}

/** Every definition of this package carries the marker; another one may be dear to somebody. */
async function keepForeign(
  path: string,
  before: Uint8Array | undefined,
): Promise<string | undefined> {
  if (before === undefined || Buffer.from(before).includes("OPENCLAW_SERVICE_MARKER"))
    return undefined;
  const backupPath = `${path}.bak`;
  // It may hold what somebody should not have put there.
  await writeDefinition(backupPath, before, 0o600);
  return backupPath;
}

/** Undoes an installation that failed, as far as that is possible. */
async function restore(
  driver: SupervisorDriver,
  definition: ServiceDefinition,
  before: Uint8Array | undefined,
): Promise<void> {
  const names = namesOf(definition);
  const path = driver.definitionPath(names);
  const ignore = (): undefined => undefined;
  if (before === undefined) {
    await driver.deactivate(names).catch(ignore);
    await removeDefinition(path).catch(ignore);
    await driver.forget(names).catch(ignore);
    return;
  }
  await writeDefinition(path, before).catch(ignore);
  await driver.forget(names).catch(ignore);
}

function unreadable(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  throw error;
}

function unreadableIssue(service: ServiceError | undefined | ParsedService) {
  if (!(service instanceof ServiceError)) return [];
  return [
    {
      code: "definition-unreadable",
      message: service.message,
      level: "recommended",
    } as const,
  ];
}

function unknownRuntime(error: unknown): { status: "unknown"; detail: string } {
  if (error instanceof ServiceError) return { status: "unknown", detail: error.message };
  throw error;
}
