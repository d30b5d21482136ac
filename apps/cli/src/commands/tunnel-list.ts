import { safeText } from "@openclaw/app-kit";
import { renderTable } from "../output/table.ts";
import type { CommandContext } from "../program/command-context.ts";
import { findTunnels, type KnownTunnel, tunnelDocument } from "../tunnel/find-tunnels.ts";
import { stateText } from "../tunnel/tunnel-fields.ts";
import { endText } from "../tunnel/tunnel-text.ts";

const HEADERS = ["Name", "Target", "State", "Forwards", "Pid", "Service"];

/** `openclaw tunnel list` */
export async function run(context: CommandContext): Promise<number> {
  const { tunnels, removed } = await findTunnels(context);
  context.answer({ tunnels: tunnels.map(tunnelDocument), removed }, () =>
    tunnels.length === 0
      ? "No tunnel runs, and none is installed."
      : renderTable(
          HEADERS,
          tunnels.map((tunnel) => rowOf(tunnel, context)),
          context.style,
        ),
  );
  return 0;
}

function rowOf(tunnel: KnownTunnel, context: CommandContext): string[] {
  const { name, target, record, service } = tunnel;
  const forwards = (record?.forwards ?? []).map(
    ({ local, remote }) => `${endText(local)} -> ${endText(remote)}`,
  );
  return [
    name,
    safeText(target ?? ""),
    stateText(tunnel, context),
    forwards.join(", "),
    record === undefined ? "" : String(record.pid),
    service?.status.label ?? "",
  ];
}
