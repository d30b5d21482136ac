import { type HostStats, hostStatsSchema, validateParams } from "@openclaw/protocol";
import type { Connection } from "../connections/connection.ts";
import { invalidRequest, unavailable } from "../errors.ts";
import type { GatewayContext } from "../gateway-context.ts";
import { compact } from "../pairing/device-record.ts";

/** A node says that it lives; said more often than this, it is not written down again. */
const ALIVE_THROTTLE_MS = 60_000;
/** Nodes report once a minute; one that reports all the time does not keep every operator busy. */
const STATS_THROTTLE_MS = 1_000;
/** Over 1, 5 and 15 minutes. */
const LOAD_AVERAGES = 3;

export interface NodeEventAnswer {
  ok: true;
  event: string;
  handled: boolean;
  reason?: string;
}

/** Takes a `node.event`. Events of other releases are answered as unsupported, not refused. */
export function handleNodeEvent(
  params: { event: string; payload?: unknown; payloadJSON?: string | undefined },
  from: Connection,
  gateway: GatewayContext,
): NodeEventAnswer {
  const { event } = params;
  const link = from.node;
  if (!link) throw invalidRequest("unauthorized role: operator");

  if (event === "node.presence.alive") {
    const at = gateway.options.now();
    const seenAt = gateway.devices.get(link.nodeId)?.lastSeenAtMs ?? 0;
    if (at - seenAt < ALIVE_THROTTLE_MS)
      return { ok: true, event, handled: true, reason: "throttled" };
    gateway.devices.touch(link.nodeId, { lastSeenAtMs: at, lastSeenReason: "alive" });
    return { ok: true, event, handled: true, reason: "persisted" };
  }
  if (event === "node.host.stats") {
    const stats = validateParams(hostStatsSchema, payloadOf(params));
    if (!stats.ok) throw invalidRequest(`invalid node.host.stats payload: ${stats.detail}`);
    const at = gateway.options.now();
    const before = link.hostStats?.updatedAtMs;
    if (before !== undefined && at >= before && at - before < STATS_THROTTLE_MS)
      return { ok: true, event, handled: true, reason: "throttled" };
    link.hostStats = { ...known(stats.value), updatedAtMs: at };
    gateway.events.broadcast(
      "node.hostStats",
      { nodeId: link.nodeId, hostStats: link.hostStats },
      { scope: "operator.read" },
    );
    return { ok: true, event, handled: true };
  }
  if (gateway.devices.get(link.nodeId)?.nodeSurface === undefined) {
    throw unavailable("node pairing changed while invocation was active", {
      retryable: true,
      details: { code: "PAIRING_CHANGED" },
    });
  }
  return { ok: true, event, handled: false, reason: "unsupported_event" };
}

/** Only what we know: all that is kept here goes to every operator and into every list. */
function known(stats: HostStats): HostStats {
  const { cpuCount, loadAverage, memoryTotalBytes, memoryFreeBytes } = stats;
  const { diskTotalBytes, diskAvailableBytes } = stats;
  return compact<HostStats>({
    cpuCount,
    loadAverage: loadAverage.slice(0, LOAD_AVERAGES),
    memoryTotalBytes,
    memoryFreeBytes,
    diskTotalBytes,
    diskAvailableBytes,
  });
}

function payloadOf(params: { payload?: unknown; payloadJSON?: string | undefined }): unknown {
  if (params.payloadJSON === undefined) return params.payload;
  try {
    return JSON.parse(params.payloadJSON);
  } catch {
    throw invalidRequest("invalid node.event params: at /payloadJSON: must be JSON");
  }
}
