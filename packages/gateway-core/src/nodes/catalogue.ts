import type { NodeEntry } from "@openclaw/protocol";
import type { ConnectionTable } from "../connections/connection-table.ts";
import type { Connection } from "../connections/connection.ts";
import type { DeviceRecord, NodeSurface } from "../pairing/device-record.ts";
import type { DeviceRegistry } from "../pairing/device-registry.ts";
import type { PairingService, SurfaceRequest } from "../pairing/pairing-service.ts";
import { isWider, requiredApproveScopes } from "../pairing/surface.ts";

/** The nodes we know, one entry a device, connected or not. */
export interface Catalogue {
  /** Connected nodes first, then by name. */
  list(): NodeEntry[];
  describe(nodeId: string): NodeEntry | undefined;
  /** What `node.pair.list` shows as paired. */
  paired(): object[];
  pairedEntry(nodeId: string): object | undefined;
  pendingEntry(request: SurfaceRequest): object;
}

export function createCatalogue(options: {
  devices: DeviceRegistry;
  connections: ConnectionTable;
  /** Late bound: pairing describes its requests through this catalogue. */
  pairing: () => Pick<PairingService, "surfaceRequestOf">;
}): Catalogue {
  const { devices, connections } = options;

  function entry(record: DeviceRecord): NodeEntry {
    const { deviceId } = record;
    const connection = connections.node(deviceId);
    const request = options.pairing().surfaceRequestOf(deviceId);
    const surface = connection?.node?.effective ?? idleSurface(record);
    const client = connection?.identity.client;
    return {
      nodeId: deviceId,
      ...described({
        displayName: record.operatorLabel ?? client?.displayName ?? record.displayName,
        platform: client?.platform ?? record.platform,
        version: client?.version ?? record.version,
        deviceFamily: client?.deviceFamily ?? record.deviceFamily,
        modelIdentifier: client?.modelIdentifier ?? record.modelIdentifier,
        remoteIp: connection?.identity.remoteIp ?? record.remoteIp,
        clientId: client?.id ?? record.clientId,
        clientMode: client?.mode ?? record.clientMode,
        pathEnv: connection?.node?.pathEnv,
        connectedAtMs: connection?.identity.connectedAtMs,
        lastConnectedAtMs: record.lastConnectedAtMs,
        lastDisconnectedAtMs: connection ? undefined : record.lastDisconnectedAtMs,
        lastSeenAtMs: record.lastSeenAtMs,
        lastSeenReason: record.lastSeenReason,
        approvedAtMs: record.nodeSurface?.approvedAtMs ?? record.approvedAtMs,
        hostStats: connection?.node?.hostStats,
      }),
      caps: surface.caps,
      commands: surface.commands,
      ...(Object.keys(surface.permissions).length > 0 ? { permissions: surface.permissions } : {}),
      sessionHost: false,
      nodePluginTools: [],
      approvalState: approvalState(record, connection, request),
      ...(request
        ? {
            pendingRequestId: request.requestId,
            pendingDeclaredCaps: request.surface.caps,
            pendingDeclaredCommands: request.surface.commands,
            pendingDeclaredPermissions: request.surface.permissions,
          }
        : {}),
      paired: true,
      connected: connection !== undefined,
    };
  }

  const isNode = (record: DeviceRecord): boolean => record.roles["node"] !== undefined;

  function pairedEntry(record: DeviceRecord): object {
    const shown = entry(record);
    const { lastSeenAtMs, lastSeenReason, approvedAtMs } = shown;
    return {
      ...pairFacts(shown),
      caps: record.nodeSurface?.caps ?? [],
      commands: record.nodeSurface?.commands ?? [],
      ...(record.nodeSurface ? { permissions: record.nodeSurface.permissions } : {}),
      createdAtMs: record.createdAtMs,
      approvedAtMs,
      ...described({ lastSeenAtMs, lastSeenReason }),
    };
  }

  return {
    list: () =>
      devices
        .list()
        .filter(isNode)
        .map(entry)
        .toSorted(
          (a, b) =>
            Number(b.connected) - Number(a.connected) ||
            (a.displayName ?? a.nodeId).localeCompare(b.displayName ?? b.nodeId),
        ),
    describe(nodeId) {
      const record = devices.get(nodeId);
      return record && isNode(record) ? entry(record) : undefined;
    },
    paired: () => devices.list().filter(isNode).map(pairedEntry),
    pairedEntry(nodeId) {
      const record = devices.get(nodeId);
      return record && isNode(record) ? pairedEntry(record) : undefined;
    },
    pendingEntry(request) {
      const record = devices.get(request.nodeId);
      const shown = record ? pairFacts(entry(record)) : { nodeId: request.nodeId };
      return {
        ...shown,
        requestId: request.requestId,
        ...request.surface,
        requiredApproveScopes: requiredApproveScopes(request.surface),
        ts: request.ts,
      };
    },
  };
}

function pairFacts(entry: NodeEntry): object {
  return described({
    nodeId: entry.nodeId,
    clientId: entry.clientId,
    clientMode: entry.clientMode,
    displayName: entry.displayName,
    platform: entry.platform,
    version: entry.version,
    deviceFamily: entry.deviceFamily,
    modelIdentifier: entry.modelIdentifier,
  });
}

/** What a node that is away could do when it was last here. */
function idleSurface(record: DeviceRecord): NodeSurface {
  const surface = record.nodeSurface;
  if (!surface) return { caps: [], commands: [], permissions: {} };
  return {
    caps: surface.caps.toSorted(),
    commands: surface.commands.toSorted(),
    permissions: surface.permissions,
  };
}

function approvalState(
  record: DeviceRecord,
  connection: Connection | undefined,
  request: SurfaceRequest | undefined,
): NonNullable<NodeEntry["approvalState"]> {
  const declared = connection?.node?.declared;
  if (!record.nodeSurface) return request ? "pending-approval" : "unapproved";
  if (request || (declared && isWider(declared, record.nodeSurface))) return "pending-reapproval";
  return "approved";
}

/** The members that are known. */
function described<T extends object>(members: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  // Every member left is one of T and is not undefined.
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
