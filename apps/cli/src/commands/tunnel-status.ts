import { renderFields } from "../output/table.ts";
import type { CommandContext } from "../program/command-context.ts";
import { findTunnels, pickTunnel, tunnelDocument } from "../tunnel/find-tunnels.ts";
import { tunnelFields } from "../tunnel/tunnel-fields.ts";

/** `openclaw tunnel status [name]`: trouble is data, not failure. */
export async function run(context: CommandContext): Promise<number> {
  const { tunnels, removed } = await findTunnels(context);
  const [name] = context.args;
  const shown = name === undefined ? tunnels : [pickTunnel(context, tunnels, name)];
  context.answer({ tunnels: shown.map(tunnelDocument), removed }, () =>
    shown.length === 0
      ? `No tunnel runs, and none is installed.\nOpen one: ${context.commandLine("tunnel open <target>")}`
      : shown
          .map((tunnel) => renderFields(tunnelFields(tunnel, context), context.style))
          .join("\n"),
  );
  return 0;
}
