import { safeText } from "@openclaw/app-kit";
import { withGateway } from "../gateway/session.ts";
import { fetchNodeRequests, fetchNodes, filterNodes } from "../nodes/fetch-nodes.ts";
import { nodeName, requestTable } from "../nodes/node-view.ts";
import { renderTable } from "../output/table.ts";
import { shortId } from "../output/text.ts";
import { ago } from "../output/time.ts";
import type { CommandContext } from "../program/command-context.ts";

/** `openclaw nodes list`: requests, then paired nodes. */
export async function run(context: CommandContext): Promise<number> {
  const scopes = ["operator.read", "operator.pairing"];
  await withGateway(context, { scopes }, async (session) => {
    const [{ pending, paired: records }, { nodes }] = await Promise.all([
      fetchNodeRequests(session),
      fetchNodes(session),
    ]);
    const nowMs = Date.now();
    const byId = new Map(records.map((record) => [record.nodeId, record]));
    const paired = filterNodes(
      context,
      nodes
        .filter((node) => node.paired !== false)
        .map((node) => ({ ...byId.get(node.nodeId), ...node })),
      nowMs,
    );
    const { style } = context;
    context.answer({ pending, paired }, () => {
      const parts = [`Pending: ${pending.length} · Paired: ${paired.length}\n`];
      if (pending.length > 0) {
        parts.push(requestTable(pending, style, nowMs));
        parts.push(`Let one in: ${context.commandLine("nodes approve <request>")}\n`);
      }
      if (paired.length > 0) {
        parts.push(
          renderTable(
            ["Node", "ID", "IP", "Last Connect"],
            paired.map((node) => [
              nodeName(node),
              shortId(node.nodeId),
              safeText(node.remoteIp),
              node.connected === true
                ? style.good("connected now")
                : ago(node.lastConnectedAtMs ?? node.lastSeenAtMs, nowMs) || "never",
            ]),
            style,
          ),
        );
      }
      if (pending.length + paired.length === 0) {
        parts.push(
          `No nodes yet. Make a machine one: ${context.commandLine("node run --host <gateway>")}\n`,
        );
      }
      return parts.join("\n");
    });
  });
  return 0;
}
