import { methodSchemas } from "@openclaw/protocol";
import { hostname } from "node:os";
import process from "node:process";
import { defineGatewayMethod } from "./gateway-method.ts";

/** Health, status, presence. */
export const systemMethods = [
  defineGatewayMethod({
    name: "health",
    access: "any",
    ...methodSchemas["health"],
    summary: "Whether the Gateway is well. Answered from a cache of a second unless probe is set.",
    handler: ({ probe }, { gateway }) => gateway.health.summary(probe === true),
  }),
  defineGatewayMethod({
    name: "status",
    access: "operator.read",
    ...methodSchemas["status"],
    summary: "Version, uptime and counts of this Gateway.",
    handler: (_params, { gateway }) => {
      const nodes = gateway.catalogue.list();
      return {
        runtimeVersion: gateway.options.serverVersion,
        host: hostname(),
        uptimeMs: gateway.options.now() - gateway.startedAtMs,
        heartbeat: { defaultAgentId: "main", agents: [] },
        channelSummary: [],
        queuedSystemEvents: [],
        sessions: {
          paths: [],
          count: 0,
          defaults: { model: null, contextTokens: null },
          recent: [],
          byAgent: [],
        },
        rssBytes: process.memoryUsage.rss(),
        connections: gateway.connections.size,
        nodes: {
          known: nodes.length,
          connected: nodes.filter((node) => node.connected).length,
          pending: gateway.pairing.surfaceRequests().length,
        },
        devices: {
          paired: gateway.devices.list().length,
          pending: gateway.devices.requests().length,
        },
        invocations: { running: gateway.broker.open, ledger: gateway.options.store.ledger.stats },
      };
    },
  }),
  defineGatewayMethod({
    name: "system-presence",
    access: "operator.read",
    ...methodSchemas["system-presence"],
    summary: "Who is connected; short-lived calls are left out.",
    handler: (_params, { gateway }) => gateway.presence.list(),
  }),
  defineGatewayMethod({
    name: "last-heartbeat",
    access: "operator.read",
    ...methodSchemas["last-heartbeat"],
    summary: "The last heartbeat of an agent; null, since this Gateway runs none.",
    handler: () => null,
  }),
  defineGatewayMethod({
    name: "channels.status",
    access: "operator.read",
    ...methodSchemas["channels.status"],
    summary: "The channels of this Gateway; it has none yet.",
    handler: (_params, { gateway }) => ({
      ts: gateway.options.now(),
      channelOrder: [],
      channelLabels: {},
      channels: {},
      channelAccounts: {},
      channelDefaultAccountId: {},
    }),
  }),
];
