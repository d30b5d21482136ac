import { safeText } from "@openclaw/app-kit";
import { withGateway } from "../gateway/session.ts";
import { fetchNode } from "../nodes/fetch-nodes.ts";
import type { NodeEntry } from "../nodes/node-entry.ts";
import { nodeDetail, nodeName, nodeStatus, permissions } from "../nodes/node-view.ts";
import { renderFields } from "../output/table.ts";
import { ago } from "../output/time.ts";
import type { CommandContext } from "../program/command-context.ts";

/** `openclaw nodes describe`: all that is known of one node. */
export async function run(context: CommandContext): Promise<number> {
  await withGateway(context, { scopes: ["operator.read"] }, async (session) => {
    const { nodeId } = await fetchNode(session, context);
    const node = await session.request<NodeEntry>("node.describe", { nodeId });
    context.answer(node, () => describe(context, node));
  });
  return 0;
}

function describe(context: CommandContext, node: NodeEntry): string {
  const { style } = context;
  const nowMs = Date.now();
  const fields = renderFields(
    [
      ["Name", style.bold(nodeName(node))],
      ["ID", safeText(node.nodeId)],
      ["Status", nodeStatus(node, style, nowMs)],
      ["Device", nodeDetail(node)],
      ["Platform", safeText(node.platform)],
      ["Version", safeText(node.version ?? node.coreVersion)],
      ["IP", safeText(node.remoteIp)],
      ["Approved", ago(node.approvedAtMs, nowMs)],
      ["Perms", permissions(node)],
      ["Caps", (node.caps ?? []).map((cap) => safeText(cap)).join(", ")],
      ["Load", loadOf(node)],
      ["PATH", safeText(node.pathEnv)],
    ],
    style,
  );
  const commands = (node.commands ?? []).map((command) => `  ${safeText(command)}\n`).join("");
  const waiting = node.pendingDeclaredCommands ?? [];
  const parts = [fields, `${style.bold("Commands")}\n${commands === "" ? "  none\n" : commands}`];
  if (waiting.length > 0 && node.pendingRequestId !== undefined) {
    const names = waiting.map((command) => `  ${safeText(command)}\n`).join("");
    const approve = context.commandLine(`nodes approve ${safeText(node.pendingRequestId)}`);
    parts.push(`${style.bold("Waiting for approval")}\n${names}Approve: ${approve}\n`);
  }
  return parts.join("\n");
}

function loadOf({ hostStats }: NodeEntry): string {
  if (hostStats === undefined) return "";
  const { cpuCount, loadAverage, memoryTotalBytes, memoryFreeBytes } = hostStats;
  const load = (loadAverage ?? []).map((value) => value.toFixed(2)).join(" ");
  return [
    load === "" ? "" : `${load}${cpuCount === undefined ? "" : ` on ${cpuCount} CPUs`}`,
    memoryTotalBytes === undefined || memoryFreeBytes === undefined
      ? ""
      : `${gigabytes(memoryFreeBytes)} of ${gigabytes(memoryTotalBytes)} GB free`,
  ]
    .filter((part) => part !== "")
    .join(" · ");
}

function gigabytes(bytes: number): string {
  return (bytes / 1024 ** 3).toFixed(1);
}
