export { ServiceError } from "./errors.ts";
export { overrideNames, serviceNames } from "./definition/service-names.ts";
export { parseLaunchdPlist } from "./launchd/plist-reader.ts";
export { launchdPlist } from "./launchd/plist-text.ts";
export { parseSystemdUnit } from "./systemd/unit-reader.ts";
export { systemdUnit } from "./systemd/unit-text.ts";
export { parseTaskScript, windowsTask } from "./windows/task-script.ts";

export type { ServiceErrorCode, ServiceErrorDetails, ServiceErrorOptions } from "./errors.ts";
export type { ParsedService, Supervisor } from "./definition/parsed-service.ts";
export type {
  RestartPolicy,
  ServiceDefinition,
  ServiceRef,
} from "./definition/service-definition.ts";
export type {
  ServiceKind,
  ServiceNameOverrides,
  ServiceNames,
} from "./definition/service-names.ts";
export type { WindowsTask, WindowsTaskOptions } from "./windows/task-script.ts";
