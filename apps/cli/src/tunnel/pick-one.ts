import { CliError, usageError } from "../errors.ts";
import type { CommandContext } from "../program/command-context.ts";
import { type KnownTunnel, pickTunnel } from "./find-tunnels.ts";

/**
 * The tunnel that a command means: the named one, or the only one.
 *
 * @throws {CliError} `cli_error` when there is none, or several and no name
 */
export function pickOne(context: CommandContext, tunnels: readonly KnownTunnel[]): KnownTunnel {
  const [name] = context.args;
  if (name !== undefined) return pickTunnel(context, tunnels, name);
  const [only, ...more] = tunnels;
  if (only === undefined) {
    throw new CliError("cli_error", "there is no tunnel.", {
      hints: [`Install one: ${context.commandLine("tunnel install <target>")}`],
      fields: { kind: "not_found" },
    });
  }
  if (more.length === 0) return only;
  throw usageError(`which tunnel? There are ${tunnels.map((tunnel) => tunnel.name).join(", ")}.`);
}
