export { createTunnel } from "./create-tunnel.ts";
export { openTunnel } from "./open-tunnel.ts";
export { TunnelError } from "./errors.ts";
export { inspectProcess } from "./engines/system/process-table.ts";
export { formatForward, parseForward } from "./forwards/parse-forward.ts";
export { resolveSshSettings } from "./settings/resolve-settings.ts";
export { defaultTunnelOptions } from "./tunnel-defaults.ts";
export { formatSshTarget, formatSshUrl, isSshUrl, parseSshTarget } from "./target.ts";

export type {
  AuthenticationCallbacks,
  EngineInfo,
  RemoteCommandOptions,
  RemoteCommandResult,
  ShownHostKey,
} from "./engines/engine.ts";
export type { ForwardSpec } from "./forwards/forward-spec.ts";
export type { ProcessEntry } from "./engines/system/process-table.ts";
export type { ResolveSettingsOptions } from "./settings/resolve-settings.ts";
export type { HostKeyPolicy, SshSettings } from "./settings/ssh-settings.ts";
export type { Logger } from "./logger.ts";
export type { OpenForward, Tunnel, TunnelDestination, TunnelOptions } from "./tunnel.ts";
export type { PortHolder, TunnelErrorCode, TunnelErrorDetails } from "./errors.ts";
export type { SshTarget } from "./target.ts";
export type { TunnelState } from "./tunnel-state.ts";
