import { safeText } from "@openclaw/app-kit";
import type { Style } from "../output/style.ts";
import { renderTable } from "../output/table.ts";
import { shortId } from "../output/text.ts";
import { ago } from "../output/time.ts";
import type { NodeEntry, NodeRequest } from "./node-entry.ts";

export function nodeName(node: { nodeId: string; displayName?: string | undefined }): string {
  return safeText(node.displayName) || shortId(node.nodeId);
}

/** `paired · connected`, `paired · offline 3m ago`. */
export function nodeStatus(node: NodeEntry, style: Style, nowMs: number): string {
  const paired = node.paired === false ? "unpaired" : "paired";
  const since = ago(node.connected === true ? node.connectedAtMs : lastSeen(node), nowMs);
  const link =
    node.connected === true
      ? style.good(since === "" ? "connected" : `connected ${since}`)
      : style.dim(since === "" ? "offline" : `offline, seen ${since}`);
  const pending =
    node.approvalState?.startsWith("pending") === true ? style.warn("needs approval") : "";
  return [paired, link, pending].filter((part) => part !== "").join(" · ");
}

/** Device, model and version in one cell. */
export function nodeDetail(node: NodeEntry): string {
  return [
    safeText(node.deviceFamily ?? node.platform),
    safeText(node.modelIdentifier),
    node.version === undefined ? "" : `v${safeText(node.version)}`,
  ]
    .filter((part) => part !== "")
    .join(" · ");
}

/** Capabilities, and what the node's system has granted. */
export function nodeCaps(node: NodeEntry): string {
  const caps = (node.caps ?? []).map((cap) => safeText(cap)).join(", ");
  const perms = permissions(node);
  return [caps, perms === "" ? "" : `perms: [${perms}]`].filter((part) => part !== "").join(" · ");
}

export function permissions(node: NodeEntry): string {
  return Object.entries(node.permissions ?? {})
    .map(([name, isGranted]) => `${safeText(name)}=${isGranted ? "yes" : "no"}`)
    .join(", ");
}

export function requestTable(
  requests: readonly NodeRequest[],
  style: Style,
  nowMs: number,
): string {
  return renderTable(
    ["Request", "Node", "ID", "IP", "Requested", "Repair", "Commands"],
    requests.map((request) => [
      safeText(request.requestId),
      nodeName(request),
      shortId(request.nodeId),
      safeText(request.remoteIp),
      ago(request.ts, nowMs),
      request.isRepair === true ? "yes" : "",
      summarise(request.commands ?? []),
    ]),
    style,
  );
}

const SHOWN_COMMANDS = 4;

function summarise(commands: readonly string[]): string {
  const shown = commands.slice(0, SHOWN_COMMANDS).map((command) => safeText(command));
  const more = commands.length - shown.length;
  return more > 0 ? `${shown.join(", ")} +${more}` : shown.join(", ");
}

function lastSeen(node: NodeEntry): number | undefined {
  return node.lastConnectedAtMs ?? node.lastSeenAtMs;
}
