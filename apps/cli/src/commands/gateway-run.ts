import process from "node:process";
import { runGateway } from "@openclaw/gateway";
import type { CommandContext } from "../program/command-context.ts";

/**
 * `openclaw gateway run`: the same code as the daemon. SIGUSR2 lets it start anew in
 * the same process: `gateway restart` sends it where no service does the restarting. (SIGUSR1 would
 * open Node's debugger.)
 */
export async function run(context: CommandContext): Promise<number> {
  const { io, env, paths } = context;
  for (;;) {
    const restart = new AbortController();
    const onRestart = (): void => restart.abort();
    process.on("SIGUSR2", onRestart);
    try {
      // One generation after the other.
      // oxlint-disable-next-line no-await-in-loop
      const exitCode = await runGateway({
        io,
        env,
        paths,
        command: context.commandLine("gateway run"),
        signal: restart.signal,
        flags: {
          port: context.text("port"),
          bind: context.text("bind"),
          auth: context.text("auth"),
          token: context.text("token"),
          password: context.text("password"),
          passwordFile: context.text("password-file"),
          tailscale: context.text("tailscale"),
          allowUnconfigured: context.flag("allow-unconfigured"),
          verbose: context.flag("verbose"),
        },
      });
      if (!restart.signal.aborted || exitCode !== 0) return exitCode;
    } finally {
      process.off("SIGUSR2", onRestart);
    }
  }
}
