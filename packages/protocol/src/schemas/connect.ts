import * as z from "zod";
import { CLIENT_IDS, CLIENT_MODES } from "../client-info.ts";
import { errorShapeSchema, stateVersionSchema } from "./frames.ts";
import { presenceEntrySchema } from "./presence.ts";
import { anyJson, closed, count, integer, maybe, open, text, texts } from "./primitives.ts";

/** Payload of `connect.challenge`, the first message of a Gateway. */
export const connectChallengeSchema = open({
  /** Random per socket; a device signs it. */
  nonce: text,
  ts: count,
  capabilities: maybe.texts,
});

/** Payload of `connect.challenge`; {@link connectChallengeSchema} checks it. */
export type ConnectChallenge = z.infer<typeof connectChallengeSchema>;

const version = integer.min(1);

/** Who connects. */
export const clientInfoSchema = closed({
  id: z.enum(CLIENT_IDS),
  displayName: maybe.text,
  version: text,
  buildId: text.max(96).optional(),
  platform: text,
  deviceFamily: maybe.text,
  modelIdentifier: maybe.text,
  timeZone: text.max(64).optional(),
  mode: z.enum(CLIENT_MODES),
  instanceId: maybe.text,
});

/** The program that connects: its id, mode, version and platform. */
export type ClientInfo = z.infer<typeof clientInfoSchema>;

/** A device's claim to its key; see `buildDeviceAuthPayload`. */
export const deviceProofSchema = closed({
  id: text,
  publicKey: text,
  signature: text,
  signedAt: count,
  /** Absent from protocol 3 clients that sign v1. */
  nonce: maybe.text,
});

/** A device id, its public key, and a signature that proves the key is there. */
export type DeviceProof = z.infer<typeof deviceProofSchema>;

/**
 * Params of `connect`: what protocol 4 allows, which holds all of protocol 3. A protocol 3 server
 * refuses the members that are new, so a client that talks to one leaves them out.
 */
export const connectParamsSchema = closed({
  minProtocol: version,
  maxProtocol: version,
  client: clientInfoSchema,
  caps: maybe.texts,
  commands: maybe.texts,
  computerUse: maybe.anyJson,
  workerRuns: maybe.anyObject,
  permissions: maybe.flags,
  pathEnv: maybe.anyText,
  role: maybe.text,
  scopes: maybe.texts,
  modelCatalog: closed({
    agentId: maybe.text,
    sessionKey: maybe.text,
    shortId: maybe.text,
    slugHint: maybe.text,
  }).optional(),
  device: deviceProofSchema.optional(),
  auth: closed({
    token: maybe.anyText,
    password: maybe.anyText,
    bootstrapToken: maybe.anyText,
    deviceToken: maybe.anyText,
    /** The host that was dialled, of a device that brings nothing but its key. */
    keyFor: maybe.anyText,
    approvalRuntimeToken: maybe.anyText,
    agentRuntimeIdentityToken: maybe.anyText,
  }).optional(),
  locale: maybe.anyText,
  userAgent: maybe.anyText,
});

/** Params of `connect`; {@link connectParamsSchema} checks them. */
export type ConnectParams = z.infer<typeof connectParamsSchema>;

/**
 * Payload of `device.pair.waiting`: the refusal that a device which has to wait would otherwise be
 * answered with. The answer to its `connect` follows when it is decided, or when `waitMs` are over.
 */
export const pairingWaitEventSchema = open({ error: errorShapeSchema, waitMs: count });

const issuedTokenSchema = open({ deviceToken: text, role: text, scopes: texts, issuedAtMs: count });

/** The answer to `connect`. `auth` may be missing from protocol 3 servers only. */
export const helloOkSchema = open({
  type: z.literal("hello-ok"),
  protocol: version,
  server: open({
    version: text,
    connId: text,
    buildId: maybe.text,
    bootId: maybe.text,
    controlUiBuildSource: maybe.text,
    commit: maybe.text,
    host: maybe.text,
  }),
  features: open({ methods: texts, events: texts, capabilities: maybe.texts }),
  snapshot: open({
    presence: z.array(presenceEntrySchema),
    /** An object, which may be empty. */
    health: anyJson,
    stateVersion: stateVersionSchema,
    uptimeMs: count,
    configPath: maybe.text,
    stateDir: maybe.text,
    sessionDefaults: open({
      defaultAgentId: text,
      mainKey: text,
      mainSessionKey: text,
      scope: maybe.text,
      modelConfigured: maybe.flag,
      ownership: maybe.text,
      selectionRequired: maybe.flag,
    }).optional(),
    suspension: open({ phase: text }).optional(),
    appliedConfigHash: text.nullish(),
    authMode: maybe.text,
  }),
  /** Canvas address of protocol 3; protocol 4 has `pluginSurfaceUrls.canvas`. */
  canvasHostUrl: maybe.text,
  pluginSurfaceUrls: z.record(z.string(), text).optional(),
  auth: open({
    /** `none`, `token`, `password`, `tailscale`, `device-token`, `bootstrap-token`, `trusted-proxy`. */
    method: maybe.text,
    role: text,
    scopes: texts,
    /** To be kept and shown next time. */
    deviceToken: maybe.text,
    issuedAtMs: maybe.count,
    deviceTokens: z.array(issuedTokenSchema).optional(),
    recoveryScope: maybe.text,
    recoveryMigrationAllowed: maybe.flag,
  }).optional(),
  policy: open({
    /** Largest frame that this Gateway takes, in bytes. */
    maxPayload: integer.min(1),
    maxBufferedBytes: integer.min(1),
    tickIntervalMs: integer.min(1),
    attachments: open({ maxBytes: integer.min(1), maxImageBytes: integer.min(1) }).optional(),
    allowedSessionVisibilities: maybe.texts,
    hasMultipleSessionSharingIdentities: maybe.flag,
  }),
});

/** The answer to `connect`; {@link helloOkSchema} checks it. */
export type HelloOk = z.infer<typeof helloOkSchema>;
