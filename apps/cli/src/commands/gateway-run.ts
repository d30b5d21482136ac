import { runGateway } from "@openclaw/gateway";
import type { CommandContext } from "../program/command-context.ts";

/** `openclaw gateway run`: the same code as the daemon. */
export function run(context: CommandContext): Promise<number> {
  const { io, env, paths } = context;
  return runGateway({
    io,
    env,
    paths,
    programName: io.programName,
    command: context.commandLine("gateway run"),
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
    },
  });
}
