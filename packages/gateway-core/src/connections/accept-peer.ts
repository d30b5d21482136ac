import { randomUUID } from "node:crypto";
import { CLOSE } from "@openclaw/protocol";
import type { GatewayContext } from "../gateway-context.ts";
import type { Accepted } from "../handshake/decide-connect.ts";
import { helloOk } from "../handshake/hello.ts";
import type { PeerOrigin } from "../listener/peer-address.ts";
import type { MethodTable } from "../methods/method-table.ts";
import type { NodeLink } from "../nodes/node-link.ts";
import { Connection } from "./connection.ts";
import { createFrameHandler } from "./frame-handler.ts";
import type { Keepalive } from "./keepalive.ts";
import type { PeerSocketOwner } from "./peer-socket.ts";
import type { WebSocketPeer } from "./websocket-peer.ts";

/** A peer that takes another's place tells it so; a client that reads this does not come back. */
export const SUPERSEDED = "superseded by a newer connection";

export interface AcceptOptions {
  gateway: GatewayContext;
  methods: MethodTable;
  keepalive: Keepalive;
  epoch: number;
  bootId: string;
  isDraining: () => boolean;
  sendHello: (hello: unknown) => void;
}

/** Turns a peer whose handshake is done into a live connection. */
export function acceptPeer(
  accepted: Accepted,
  { socket, origin }: { socket: WebSocketPeer; origin: PeerOrigin },
  options: AcceptOptions,
): Connection {
  const { gateway, methods } = options;
  const { limits, now, logger, frameSent, frameReceived } = gateway.options;
  const { role, deviceId } = accepted;
  const at = now();
  const connection = new Connection(
    {
      connId: randomUUID(),
      epoch: options.epoch,
      protocol: accepted.protocol,
      role,
      scopes: accepted.scopes,
      caps: new Set(accepted.params.caps),
      client: accepted.client,
      deviceId,
      remoteIp: origin.address,
      authMethod: accepted.authMethod,
      user: accepted.user,
      connectedAtMs: at,
    },
    socket,
    {
      maxBufferedBytes: limits.maxBufferedBytes,
      highWaterMarkBytes: limits.highWaterMarkBytes,
      frameSent,
    },
  );
  connection.node = nodeLink(accepted);
  const log = logger.child({ connId: connection.identity.connId, role, deviceId });
  // A node that comes or goes is news in a quiet week; every call of the command line is not.
  const level = role === "node" ? "info" : "debug";
  const unwatch = options.keepalive.watch(socket);

  const handler = createFrameHandler({
    connection,
    methods,
    maxInFlight: limits.maxRequestsInFlight,
    isDraining: options.isDraining,
    logger: log,
    onClose(code, reason) {
      unwatch();
      leave(connection, gateway);
      log[level]({ code, reason }, "peer left");
    },
  });
  socket.owner =
    frameReceived === undefined ? handler : watched(handler, connection, frameReceived);

  const former = gateway.connections.add(connection);
  if (former) {
    gateway.broker.detach(former);
    former.close(CLOSE.POLICY_VIOLATION, SUPERSEDED);
    log.info({ formerConnId: former.identity.connId }, "connection superseded");
  }
  if (deviceId !== undefined) recordSeen(accepted, origin, gateway, at);

  // Hello is the first frame after `connect`, before any event that this peer's arrival causes.
  options.sendHello(
    helloOk(
      accepted,
      {
        connId: connection.identity.connId,
        bootId: options.bootId,
        methods: methods.advertised(role),
        presence: gateway.presence.list(),
        health: gateway.health.summary(),
        stateVersion: { presence: gateway.presence.version, health: gateway.health.version },
        uptimeMs: at - gateway.startedAtMs,
      },
      gateway.options,
    ),
  );
  if (connection.node) {
    gateway.pairing.nodeConnected(connection);
    if (!connection.node.keepsLedger) gateway.broker.abandon(connection.node.nodeId);
  }
  gateway.presence.changed(connection);
  log[level]({ client: accepted.client.id, protocol: accepted.protocol }, "peer connected");
  return connection;
}

function nodeLink({ node, deviceId }: Accepted): NodeLink | undefined {
  if (!node || deviceId === undefined) return undefined;
  return {
    nodeId: deviceId,
    platform: node.platform,
    offered: node.offered,
    declared: node.declared,
    effective: { caps: [], commands: [], permissions: {} },
    allowed: new Set(),
    pathEnv: node.pathEnv,
    keepsLedger: node.keepsLedger,
    recordsDurably: false,
    hostStats: undefined,
  };
}

/** The end of a connection. A superseded one has left already: its late close means nothing. */
function leave(connection: Connection, gateway: GatewayContext): void {
  connection.detach();
  if (!gateway.connections.remove(connection)) return;
  if (connection.node) {
    gateway.broker.detach(connection);
    gateway.pairing.nodeDisconnected(connection.node.nodeId);
    const at = gateway.options.now();
    gateway.devices.touch(connection.node.nodeId, {
      lastDisconnectedAtMs: at,
      lastSeenAtMs: at,
      lastSeenReason: "disconnect",
    });
  }
  gateway.presence.changed(connection);
}

function recordSeen(
  accepted: Accepted,
  origin: PeerOrigin,
  gateway: GatewayContext,
  at: number,
): void {
  const { deviceId, client, role, authMethod } = accepted;
  if (deviceId === undefined) return;
  const facts = {
    ...(client.displayName === undefined ? {} : { displayName: client.displayName }),
    version: client.version,
    ...(origin.address === undefined ? {} : { remoteIp: origin.address }),
    lastSeenAtMs: at,
    lastSeenReason: authMethod === "device-token" ? "device-token-auth" : "connect",
  };
  if (authMethod === "device-token") gateway.devices.tokenUsed(deviceId, role);
  // What a device is as a node is not overwritten by the command line on the same machine.
  if (role === "node")
    gateway.devices.touch(deviceId, {
      ...facts,
      platform: client.platform,
      ...(client.deviceFamily === undefined ? {} : { deviceFamily: client.deviceFamily }),
      ...(client.modelIdentifier === undefined ? {} : { modelIdentifier: client.modelIdentifier }),
      clientId: client.id,
      clientMode: client.mode,
      lastConnectedAtMs: at,
    });
  else gateway.devices.touch(deviceId, { lastSeenAtMs: at, lastSeenReason: facts.lastSeenReason });
}

/** The same handler, whose frames somebody else sees first. */
function watched(
  handler: PeerSocketOwner,
  { identity: { connId } }: Connection,
  seen: (text: string, connId: string) => void,
): PeerSocketOwner {
  return {
    ...handler,
    onText(text) {
      seen(text, connId);
      handler.onText(text);
    },
  };
}
