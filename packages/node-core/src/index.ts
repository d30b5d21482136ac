export { createNode } from "./create-node.ts";
export { defineCommand } from "./define-command.ts";
export { CommandError, NodeError } from "./errors.ts";
export { HOST_STATS_INTERVAL_MS, hostStats } from "./host-stats.ts";
export { systemCommands } from "./system/system-commands.ts";

export type { NodeOptions, OpenClawNode } from "./create-node.ts";
export type {
  CommandContext,
  CommandDefinition,
  NodeCommand,
  PreparedCall,
} from "./define-command.ts";
export type { NodeErrorCode } from "./errors.ts";
export type { SystemCommandsOptions } from "./system/system-commands.ts";
export type { SystemHost } from "./system/system-host.ts";
