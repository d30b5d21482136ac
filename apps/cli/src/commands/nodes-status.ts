import { safeText } from "@openclaw/app-kit";
import { withGateway } from "../gateway/session.ts";
import { fetchNodes, filterNodes } from "../nodes/fetch-nodes.ts";
import { nodeCaps, nodeDetail, nodeName, nodeStatus } from "../nodes/node-view.ts";
import { renderTable } from "../output/table.ts";
import { shortId } from "../output/text.ts";
import type { CommandContext } from "../program/command-context.ts";

/** `openclaw nodes status`: who is there, and what they offer. */
export async function run(context: CommandContext): Promise<number> {
  await withGateway(context, { scopes: ["operator.read"] }, async (session) => {
    const payload = await fetchNodes(session);
    const nowMs = Date.now();
    const nodes = filterNodes(context, payload.nodes, nowMs);
    const { style } = context;
    context.answer({ ...payload, nodes }, () => {
      const paired = nodes.filter((node) => node.paired !== false).length;
      const connected = nodes.filter((node) => node.connected === true).length;
      const head = `Known: ${nodes.length} · Paired: ${paired} · Connected: ${connected}\n`;
      if (nodes.length === 0) return head;
      const table = renderTable(
        ["Node", "ID", "IP", "Detail", "Status", "Caps"],
        nodes.map((node) => [
          nodeName(node),
          shortId(node.nodeId),
          safeText(node.remoteIp),
          nodeDetail(node),
          nodeStatus(node, style, nowMs),
          nodeCaps(node),
        ]),
        style,
      );
      return `${head}\n${table}`;
    });
  });
  return 0;
}
