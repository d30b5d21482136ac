import * as z from "zod";
import { CLIENT_IDS, CLIENT_MODES } from "../client-info.ts";
import { stateVersionSchema } from "./frames.ts";
import { presenceEntrySchema } from "./presence.ts";
import {
  anyJson,
  anyObject,
  anyText,
  closed,
  count,
  flag,
  flags,
  integer,
  open,
  text,
  texts,
} from "./primitives.ts";

/** Payload of `connect.challenge`, the first message of a Gateway. */
export const connectChallengeSchema = open({
  /** Random per socket; a device signs it. */
  nonce: text,
  ts: count,
  capabilities: texts.optional(),
});
export type ConnectChallenge = z.infer<typeof connectChallengeSchema>;

const version = integer.min(1);

/** Who connects. */
export const clientInfoSchema = closed({
  id: z.enum(CLIENT_IDS),
  displayName: text.optional(),
  version: text,
  buildId: text.max(96).optional(),
  platform: text,
  deviceFamily: text.optional(),
  modelIdentifier: text.optional(),
  timeZone: text.max(64).optional(),
  mode: z.enum(CLIENT_MODES),
  instanceId: text.optional(),
});
export type ClientInfo = z.infer<typeof clientInfoSchema>;

/** A device's claim to its key; see `buildDeviceAuthPayload`. */
export const deviceProofSchema = closed({
  id: text,
  publicKey: text,
  signature: text,
  signedAt: count,
  /** Absent from protocol 3 clients that sign v1. */
  nonce: text.optional(),
});
export type DeviceProof = z.infer<typeof deviceProofSchema>;

/**
 * Params of `connect`: what protocol 4 allows, which holds all of protocol 3. A protocol 3 server
 * refuses the members that are new, so a client that talks to one leaves them out.
 */
export const connectParamsSchema = closed({
  minProtocol: version,
  maxProtocol: version,
  client: clientInfoSchema,
  caps: texts.optional(),
  commands: texts.optional(),
  computerUse: anyJson.optional(),
  workerRuns: anyObject.optional(),
  permissions: flags.optional(),
  pathEnv: anyText.optional(),
  role: text.optional(),
  scopes: texts.optional(),
  modelCatalog: closed({
    agentId: text.optional(),
    sessionKey: text.optional(),
    shortId: text.optional(),
    slugHint: text.optional(),
  }).optional(),
  device: deviceProofSchema.optional(),
  auth: closed({
    token: anyText.optional(),
    password: anyText.optional(),
    bootstrapToken: anyText.optional(),
    deviceToken: anyText.optional(),
    approvalRuntimeToken: anyText.optional(),
    agentRuntimeIdentityToken: anyText.optional(),
  }).optional(),
  locale: anyText.optional(),
  userAgent: anyText.optional(),
});
export type ConnectParams = z.infer<typeof connectParamsSchema>;

const issuedTokenSchema = open({ deviceToken: text, role: text, scopes: texts, issuedAtMs: count });

/** The answer to `connect`. `auth` may be missing from protocol 3 servers only. */
export const helloOkSchema = open({
  type: z.literal("hello-ok"),
  protocol: version,
  server: open({
    version: text,
    connId: text,
    buildId: text.optional(),
    bootId: text.optional(),
    controlUiBuildSource: text.optional(),
    commit: text.optional(),
    host: text.optional(),
  }),
  features: open({ methods: texts, events: texts, capabilities: texts.optional() }),
  snapshot: open({
    presence: z.array(presenceEntrySchema),
    /** An object, which may be empty. */
    health: anyJson,
    stateVersion: stateVersionSchema,
    uptimeMs: count,
    configPath: text.optional(),
    stateDir: text.optional(),
    sessionDefaults: open({
      defaultAgentId: text,
      mainKey: text,
      mainSessionKey: text,
      scope: text.optional(),
      modelConfigured: flag.optional(),
      ownership: text.optional(),
      selectionRequired: flag.optional(),
    }).optional(),
    suspension: open({ phase: text }).optional(),
    appliedConfigHash: text.nullish(),
    authMode: text.optional(),
  }),
  /** Canvas address of protocol 3; protocol 4 has `pluginSurfaceUrls.canvas`. */
  canvasHostUrl: text.optional(),
  pluginSurfaceUrls: z.record(z.string(), text).optional(),
  auth: open({
    /** `none`, `token`, `password`, `tailscale`, `device-token`, `bootstrap-token`, `trusted-proxy`. */
    method: text.optional(),
    role: text,
    scopes: texts,
    /** To be kept and shown next time. */
    deviceToken: text.optional(),
    issuedAtMs: count.optional(),
    deviceTokens: z.array(issuedTokenSchema).optional(),
    recoveryScope: text.optional(),
    recoveryMigrationAllowed: flag.optional(),
  }).optional(),
  policy: open({
    /** Largest frame that this Gateway takes, in bytes. */
    maxPayload: integer.min(1),
    maxBufferedBytes: integer.min(1),
    tickIntervalMs: integer.min(1),
    attachments: open({ maxBytes: integer.min(1), maxImageBytes: integer.min(1) }).optional(),
    allowedSessionVisibilities: texts.optional(),
    hasMultipleSessionSharingIdentities: flag.optional(),
  }),
});
export type HelloOk = z.infer<typeof helloOkSchema>;
