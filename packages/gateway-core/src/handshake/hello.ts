import { type HelloOk, type PresenceEntry, type RawJson, scopeAllows } from "@openclaw/protocol";
import type { ResolvedGatewayOptions } from "../gateway-options.ts";
import type { Accepted } from "./decide-connect.ts";

/** The events that this Gateway sends, as `features.events` lists them. */
export const GATEWAY_EVENTS = [
  "connect.challenge",
  "tick",
  "presence",
  "health",
  "shutdown",
  "device.pair.requested",
  "device.pair.resolved",
  "device.pair.changed",
  "device.pair.waiting",
  "device.pair.setup.completed",
  "node.pair.requested",
  "node.pair.resolved",
  "node.hostStats",
  "node.invoke.request",
  "node.invoke.cancel",
  "node.invoke.input",
  "node.invoke.progress",
] as const;

export interface HelloFacts {
  connId: string;
  bootId: string;
  methods: readonly string[];
  presence: PresenceEntry[];
  health: RawJson;
  stateVersion: { presence: number; health: number };
  uptimeMs: number;
}

/**
 * The answer to `connect`. It holds everything that any release requires, `auth` included, because
 * the native clients refuse a hello in which a member is missing.
 */
export function helloOk(
  accepted: Accepted,
  facts: HelloFacts,
  options: ResolvedGatewayOptions,
): HelloOk {
  const { role, scopes, deviceToken } = accepted;
  return {
    type: "hello-ok",
    protocol: accepted.protocol,
    server: { version: options.serverVersion, connId: facts.connId, bootId: facts.bootId },
    features: {
      methods: [...facts.methods],
      events: [...GATEWAY_EVENTS],
      capabilities: [],
    },
    snapshot: {
      // Who else is here is for those who may read, as the event and the method are.
      presence: scopeAllows(scopes, "operator.read") ? facts.presence : [],
      health: JSON.parse(facts.health.text),
      stateVersion: facts.stateVersion,
      uptimeMs: facts.uptimeMs,
      sessionDefaults: {
        defaultAgentId: "main",
        mainKey: "main",
        mainSessionKey: "agent:main:main",
        scope: "per-sender",
      },
      authMode: options.auth.mode,
    },
    auth: {
      role,
      scopes: [...scopes],
      ...(deviceToken
        ? { deviceToken: deviceToken.token, issuedAtMs: deviceToken.issuedAtMs }
        : {}),
      ...(accepted.deviceTokens.length > 0
        ? {
            deviceTokens: accepted.deviceTokens.map(({ token, ...more }) => ({
              ...more,
              scopes: [...more.scopes],
              deviceToken: token,
            })),
          }
        : {}),
    },
    policy: {
      maxPayload: options.limits.maxFrameBytes,
      maxBufferedBytes: options.limits.maxBufferedBytes,
      tickIntervalMs: options.tickIntervalMs,
    },
  };
}
