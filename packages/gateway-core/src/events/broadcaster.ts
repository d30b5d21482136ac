import { RawJson, scopeAllows } from "@openclaw/protocol";
import type { ConnectionTable } from "../connections/connection-table.ts";
import type { Connection } from "../connections/connection.ts";

/** Who may see an event: everyone, operators with a scope, or those and the node concerned. */
export interface Audience {
  scope?: "operator.read" | "operator.pairing";
  /** A node that sees it too. */
  nodeId?: string;
}

export interface StateVersion {
  presence: number;
  health: number;
}

/** Sends events to whoever may see them. */
export interface Broadcaster {
  /** An event of state or time: a peer that reads too slowly misses it and sees the gap. */
  broadcast(
    event: string,
    payload: unknown,
    audience?: Audience,
    stateVersion?: StateVersion,
  ): void;
}

export function createBroadcaster(connections: ConnectionTable): Broadcaster {
  return {
    broadcast(event, payload, audience = {}, stateVersion) {
      // Printed once for all; only the sequence number in the middle is each connection's own.
      const body = payload instanceof RawJson ? payload.text : JSON.stringify(payload);
      const prefix = `{"type":"event","event":${JSON.stringify(event)},"payload":${body},"seq":`;
      const suffix = stateVersion ? `,"stateVersion":${JSON.stringify(stateVersion)}}` : "}";
      for (const connection of connections.all()) {
        if (maySee(connection, audience)) connection.event(prefix, suffix, true);
      }
    },
  };
}

function maySee(connection: Connection, { scope, nodeId }: Audience): boolean {
  const { role, deviceId, scopes } = connection.identity;
  if (role === "node") return scope === undefined || (nodeId !== undefined && deviceId === nodeId);
  return scope === undefined || scopeAllows(scopes, scope);
}
