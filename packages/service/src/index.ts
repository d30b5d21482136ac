export { auditService } from "./audit/service-audit.ts";
export { auditTunnelService } from "./audit/tunnel-audit.ts";
export { serviceEnvironment, serviceLogs, servicePath } from "./definition/service-environment.ts";
export { overrideNames, serviceNames } from "./definition/service-names.ts";
export { ServiceError } from "./errors.ts";
export { parseLaunchdPlist } from "./launchd/plist-reader.ts";
export { launchdPlist } from "./launchd/plist-text.ts";
export { createCommandRunner } from "./manager/command-runner.ts";
export { createServiceManager } from "./manager/create-service-manager.ts";
export { parseSystemdUnit } from "./systemd/unit-reader.ts";
export { systemdUnit } from "./systemd/unit-text.ts";
export { parseTaskScript, windowsTask } from "./windows/task-script.ts";

export type { AuditOptions } from "./audit/service-audit.ts";
export type { TunnelAuditOptions, TunnelFinding, TunnelFindingCode } from "./audit/tunnel-audit.ts";
export type { ParsedService, Supervisor } from "./definition/parsed-service.ts";
export type {
  RestartPolicy,
  ServiceDefinition,
  ServiceRef,
} from "./definition/service-definition.ts";
export type {
  ServiceEnvironmentInput,
  ServicePathInput,
} from "./definition/service-environment.ts";
export type {
  ServiceKind,
  ServiceNameOverrides,
  ServiceNames,
} from "./definition/service-names.ts";
export type { ServiceErrorCode, ServiceErrorDetails, ServiceErrorOptions } from "./errors.ts";
export type { FindLeftoversOptions, Leftover } from "./leftovers/find-leftovers.ts";
export type { Recommendation } from "./leftovers/known-leftovers.ts";
export type { RemovedLeftover } from "./leftovers/remove-leftover.ts";
export type { CommandOptions, CommandResult, CommandRunner } from "./manager/command-runner.ts";
export type {
  ActionOutcome,
  InstalledService,
  InstallOptions,
  InstallOutcome,
  ServiceManager,
  ServiceManagerOptions,
  UninstallOutcome,
} from "./manager/service-manager.ts";
export type {
  AuditIssue,
  AuditLevel,
  ConfigAudit,
  ServiceRuntime,
  ServiceStatus,
  ShownCommand,
} from "./manager/service-status.ts";
export type { WindowsTask, WindowsTaskOptions } from "./windows/task-script.ts";
