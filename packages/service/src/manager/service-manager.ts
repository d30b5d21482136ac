import type { AuditOptions } from "../audit/service-audit.ts";
import type { ParsedService, Supervisor } from "../definition/parsed-service.ts";
import type { ServiceDefinition, ServiceRef } from "../definition/service-definition.ts";
import type { ServiceKind } from "../definition/service-names.ts";
import type { FindLeftoversOptions, Leftover } from "../leftovers/find-leftovers.ts";
import type { RemovedLeftover } from "../leftovers/remove-leftover.ts";
import type { CommandRunner } from "./command-runner.ts";
import type { ServiceStatus } from "./service-status.ts";
import type { StopOptions } from "./supervisor.ts";

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
