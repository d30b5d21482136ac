import type { GatewaySession } from "../gateway/session.ts";
import type { CommandContext } from "../program/command-context.ts";
import {
  lastThereAtMs,
  type NodeEntry,
  type NodeListPayload,
  type NodePairList,
  type NodeRequest,
} from "./node-entry.ts";
import { resolveNode } from "./resolve-node.ts";

/** `node.list`, entries without an id left out. */
export async function fetchNodes(session: GatewaySession): Promise<NodeListPayload> {
  const payload = await session.request<NodeListPayload>("node.list", {});
  return {
    ...payload,
    nodes: (payload.nodes ?? []).filter((node) => typeof node.nodeId === "string"),
  };
}

/** The node that `--node` means. */
export async function fetchNode(
  session: GatewaySession,
  context: CommandContext,
): Promise<NodeEntry> {
  const { nodes } = await fetchNodes(session);
  return resolveNode(context.text("node") ?? "", nodes);
}

/** Who waits for approval as a node: with a surface, or as a device that has never been here. */
export async function fetchNodeRequests(session: GatewaySession): Promise<NodePairList> {
  const [nodes, devices] = await Promise.all([
    session.request<Partial<NodePairList>>("node.pair.list", {}),
    // A Gateway that keeps both in one list, or an operator who may not see devices, is fine.
    session
      .request<{ pending?: DeviceRequestLike[] }>("device.pair.list", {})
      .catch(() => ({ pending: [] })),
  ]);
  const pending = [...(nodes.pending ?? [])];
  const known = new Set(pending.map((request) => request.requestId));
  for (const request of devices.pending ?? []) {
    if (!isNodeRequest(request) || known.has(request.requestId)) continue;
    const { deviceId, ...rest } = request;
    pending.push({ ...rest, nodeId: deviceId });
  }
  return { pending, paired: nodes.paired ?? [] };
}

interface DeviceRequestLike extends Omit<NodeRequest, "nodeId"> {
  deviceId: string;
  role?: string;
  roles?: string[];
}

function isNodeRequest({ role, roles }: DeviceRequestLike): boolean {
  return role === "node" || roles?.includes("node") === true;
}

/** Applies `--connected` and `--last-connected`. */
export function filterNodes<N extends NodeEntry>(
  context: CommandContext,
  nodes: readonly N[],
  nowMs: number,
): N[] {
  const withinMs = context.integer("last-connected");
  return nodes.filter((node) => {
    if (context.flag("connected") && node.connected !== true) return false;
    if (withinMs === undefined) return true;
    const atMs = lastThereAtMs(node, nowMs);
    return atMs !== undefined && nowMs - atMs <= withinMs;
  });
}
