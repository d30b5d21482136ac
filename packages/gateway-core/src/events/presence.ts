import { hostname } from "node:os";
import process from "node:process";
import type { PresenceEntry } from "@openclaw/protocol";
import type { PeerUser } from "../auth/peer-user.ts";
import type { ConnectionTable } from "../connections/connection-table.ts";
import type { Connection } from "../connections/connection.ts";
import type { Broadcaster, StateVersion } from "./broadcaster.ts";

/** Several changes within so long are one event: a restart of many peers is not a storm. */
const COALESCE_MS = 100;
/** The list stops growing here; `node.list` and `device.pair.list` are complete. */
const MAX_ENTRIES = 200;

/** Who is here. */
export interface Presence {
  list(): PresenceEntry[];
  /** Somebody came or went. */
  changed(connection: Connection): void;
  readonly version: number;
  stop(): void;
}

export function createPresence(options: {
  connections: ConnectionTable;
  events: Broadcaster;
  serverVersion: string;
  now: () => number;
  stateVersion: () => StateVersion;
}): Presence {
  const { connections, events, now } = options;
  const self: PresenceEntry = {
    host: hostname(),
    version: options.serverVersion,
    platform: process.platform,
    mode: "gateway",
    reason: "self",
    text: `Gateway: ${hostname()} · ${process.platform} · ${options.serverVersion}`,
    ts: now(),
    onlineSince: now(),
  };
  let version = 1;
  let timer: NodeJS.Timeout | undefined;

  function list(): PresenceEntry[] {
    const entries = [{ ...self, ts: now() }];
    for (const connection of connections.all()) {
      if (entries.length >= MAX_ENTRIES) break;
      if (isTracked(connection)) entries.push(entryOf(connection));
    }
    return entries;
  }

  return {
    list,
    get version() {
      return version;
    },
    changed(connection) {
      if (!isTracked(connection)) return;
      version += 1;
      timer ??= setTimeout(() => {
        timer = undefined;
        events.broadcast(
          "presence",
          { presence: list() },
          { scope: "operator.read" },
          options.stateVersion(),
        );
      }, COALESCE_MS);
      timer.unref();
    },
    stop() {
      if (timer) clearTimeout(timer);
    },
  };
}

/** Calls that come and go in a moment are nobody's presence. */
function isTracked(connection: Connection): boolean {
  const { mode } = connection.identity.client;
  return mode !== "cli" && mode !== "backend" && mode !== "probe";
}

function shownUser({ login, name, provider }: PeerUser): NonNullable<PresenceEntry["user"]> {
  return {
    id: login,
    identity: { type: provider, id: login },
    ...(login.includes("@") ? { email: login } : {}),
    ...(name === undefined ? {} : { name }),
  };
}

function entryOf(connection: Connection): PresenceEntry {
  const { client, role, scopes, deviceId, remoteIp, user, connectedAtMs, connId } =
    connection.identity;
  const name = client.displayName ?? client.id;
  return {
    host: name,
    version: client.version,
    platform: client.platform,
    mode: client.mode,
    reason: "connect",
    text: `${role === "node" ? "Node" : "Client"}: ${name} · ${client.platform} · ${client.version}`,
    ts: connectedAtMs,
    onlineSince: connectedAtMs,
    roles: [role],
    scopes: [...scopes],
    instanceId: client.instanceId ?? connId,
    ...(deviceId === undefined ? {} : { deviceId }),
    ...(remoteIp === undefined ? {} : { ip: remoteIp }),
    ...(user === undefined ? {} : { user: shownUser(user) }),
    ...(client.deviceFamily === undefined ? {} : { deviceFamily: client.deviceFamily }),
    ...(client.modelIdentifier === undefined ? {} : { modelIdentifier: client.modelIdentifier }),
  };
}
