import process from "node:process";
import { runGateway } from "@openclaw/gateway";
import type { CommandContext } from "../program/command-context.ts";
import { cliService } from "../service/cli-services.ts";
import { stopCommand } from "../service/stop-commands.ts";

/** `openclaw gateway run`: the same code as the daemon. */
export function run(context: CommandContext): Promise<number> {
  const { io, env, paths } = context;
  return runGateway({
    io,
    env,
    paths,
    programName: io.programName,
    command: context.commandLine("gateway run"),
    stopHints: stopHints(context),
    flags: {
      port: context.text("port"),
      bind: context.text("bind"),
      auth: context.text("auth"),
      token: context.text("token"),
      password: context.text("password"),
      passwordFile: context.text("password-file"),
      tailscale: context.text("tailscale"),
      tailscaleResetOnExit: context.flag("tailscale-reset-on-exit"),
      allowUnconfigured: context.flag("allow-unconfigured"),
      verbose: context.flag("verbose"),
      dev: context.flag("dev"),
      reset: context.flag("reset"),
      force: context.flag("force"),
      wsLog: context.text("ws-log"),
      compact: context.flag("compact"),
      rawStream: context.flag("raw-stream"),
      rawStreamPath: context.text("raw-stream-path"),
      claudeCliLogs: context.flag("claude-cli-logs") || context.flag("cli-backend-logs"),
      ambientChannels: context.flag("ambient-channels"),
    },
  });
}

/** How a Gateway that is in the way is stopped, with this program and without it. */
function stopHints(context: CommandContext): string[] {
  const { names } = cliService(context, "gateway").ref;
  return [
    `or: ${context.commandLine("gateway stop")}`,
    `or its service: ${stopCommand(process.platform, names, process.getuid?.())}`,
  ];
}
