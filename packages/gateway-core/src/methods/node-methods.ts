import { methodSchemas } from "@openclaw/protocol";
import type { Connection } from "../connections/connection.ts";
import { invalidRequest } from "../errors.ts";
import { rename } from "./device-methods.ts";
import { defineGatewayMethod } from "./gateway-method.ts";
import { handleNodeEvent } from "./node-events.ts";

/** The catalogue of nodes and the approval of what they offer. */
export const nodeMethods = [
  defineGatewayMethod({
    name: "node.list",
    access: "operator.read",
    ...methodSchemas["node.list"],
    summary: "All nodes, connected ones first.",
    handler: (_params, { gateway }) => ({
      ts: gateway.options.now(),
      nodes: gateway.catalogue.list(),
    }),
  }),
  defineGatewayMethod({
    name: "node.describe",
    access: "operator.read",
    ...methodSchemas["node.describe"],
    summary: "One node.",
    handler: ({ nodeId }, { gateway }) => {
      const entry = gateway.catalogue.describe(nodeId);
      if (!entry) throw invalidRequest("unknown nodeId");
      return { ts: gateway.options.now(), ...entry };
    },
  }),
  defineGatewayMethod({
    name: "node.rename",
    access: "operator.pairing",
    ...methodSchemas["node.rename"],
    summary: "Gives a node a name of the operator's own.",
    handler: ({ nodeId, displayName }, { gateway }) => {
      rename(gateway, nodeId, displayName, "unknown nodeId");
      return { nodeId, displayName };
    },
  }),
  defineGatewayMethod({
    name: "node.pair.list",
    access: "operator.pairing",
    ...methodSchemas["node.pair.list"],
    summary: "Nodes whose surface waits for approval, and nodes that are paired.",
    handler: (_params, { gateway }) => ({
      pending: gateway.pairing.surfaceRequests().map(gateway.catalogue.pendingEntry),
      paired: gateway.catalogue.paired(),
    }),
  }),
  defineGatewayMethod({
    name: "node.pair.approve",
    access: "operator.pairing",
    ...methodSchemas["node.pair.approve"],
    summary: "Approves what a node declares; it takes effect at once.",
    handler: ({ requestId }, { caller, gateway }) => {
      const { nodeId } = gateway.pairing.approveSurface(requestId, caller.scopes);
      return { requestId, node: gateway.catalogue.pairedEntry(nodeId) };
    },
  }),
  defineGatewayMethod({
    name: "node.pair.reject",
    access: "operator.pairing",
    ...methodSchemas["node.pair.reject"],
    summary: "Refuses what a node declares; what was approved before stays.",
    handler: ({ requestId }, { gateway }) => {
      const { nodeId } = gateway.pairing.rejectSurface(requestId);
      return { requestId, nodeId };
    },
  }),
  defineGatewayMethod({
    name: "node.pair.remove",
    access: "operator.pairing",
    ...methodSchemas["node.pair.remove"],
    summary: "Forgets a node and ends its connection.",
    handler: ({ nodeId }, { gateway }) => {
      if (!gateway.catalogue.describe(nodeId)) throw invalidRequest("unknown nodeId");
      gateway.pairing.removeDevice(nodeId);
      return { nodeId };
    },
  }),
  defineGatewayMethod({
    name: "node.event",
    access: "node",
    ...methodSchemas["node.event"],
    summary: "Something that happened at a node.",
    handler: (params, { caller, gateway }) =>
      handleNodeEvent(params, nodeConnection(caller.connection), gateway),
  }),
];

/** The connection of a node, which every method of access `node` has. */
export function nodeConnection(connection: Connection | undefined): Connection {
  if (!connection?.node) throw invalidRequest("unauthorized role: operator");
  return connection;
}
