import type { Connection } from "./connection.ts";

/** All live connections, and which of them speaks for which node. */
export interface ConnectionTable {
  readonly size: number;
  all(): Iterable<Connection>;
  /** Adds a connection. Returns the one it supersedes, already detached: same device, same role of node. */
  add(connection: Connection): Connection | undefined;
  /** False when it was not there any more: superseded, so its end means nothing. */
  remove(connection: Connection): boolean;
  node(nodeId: string): Connection | undefined;
  nodes(): Iterable<Connection>;
  ofDevice(deviceId: string): Connection[];
}

export function createConnectionTable(): ConnectionTable {
  const connections = new Set<Connection>();
  const nodes = new Map<string, Connection>();

  return {
    get size() {
      return connections.size;
    },
    all: () => connections,
    add(connection) {
      connections.add(connection);
      const { deviceId, role } = connection.identity;
      if (role !== "node" || deviceId === undefined) return undefined;
      const former = nodes.get(deviceId);
      nodes.set(deviceId, connection);
      if (!former) return undefined;
      former.detach();
      connections.delete(former);
      return former;
    },
    remove(connection) {
      const { deviceId } = connection.identity;
      if (deviceId !== undefined && nodes.get(deviceId) === connection) nodes.delete(deviceId);
      return connections.delete(connection);
    },
    node: (nodeId) => nodes.get(nodeId),
    nodes: () => nodes.values(),
    ofDevice: (deviceId) =>
      [...connections].filter((connection) => connection.identity.deviceId === deviceId),
  };
}
