import { z } from "zod";
import { CLIENT_IDS, CLIENT_MODES } from "../client-info.ts";
import { count, epochMs, text } from "./common.ts";
import { stateVersionSchema } from "./frames.ts";
import { presenceEntrySchema } from "./system.ts";

/** Payload of the `connect.challenge` event. */
export const connectChallengeSchema = z.looseObject({
  nonce: text,
  ts: epochMs,
  capabilities: z.array(text).optional(),
});

/**
 * Params of `connect`: what the newest clients may send. `device.nonce` is optional here because the
 * oldest ones leave it out; the handshake decides when it may be missing (wire §3.2).
 */
export const connectParamsSchema = z.strictObject({
  minProtocol: z.int().min(1),
  maxProtocol: z.int().min(1),
  client: z.strictObject({
    id: z.enum(CLIENT_IDS),
    displayName: text.optional(),
    version: text,
    buildId: z.string().min(1).max(96).optional(),
    platform: text,
    deviceFamily: text.optional(),
    modelIdentifier: text.optional(),
    timeZone: z.string().min(1).max(64).optional(),
    mode: z.enum(CLIENT_MODES),
    instanceId: text.optional(),
  }),
  caps: z.array(text).optional(),
  commands: z.array(text).optional(),
  computerUse: z.looseObject({}).optional(),
  workerRuns: z.looseObject({}).optional(),
  permissions: z.record(text, z.boolean()).optional(),
  pathEnv: z.string().optional(),
  role: text.optional(),
  scopes: z.array(text).optional(),
  modelCatalog: z.looseObject({}).optional(),
  device: z
    .strictObject({
      id: text,
      publicKey: text,
      signature: text,
      signedAt: count,
      nonce: text.optional(),
    })
    .optional(),
  auth: z
    .strictObject({
      token: z.string().optional(),
      password: z.string().optional(),
      bootstrapToken: z.string().optional(),
      deviceToken: z.string().optional(),
      approvalRuntimeToken: z.string().optional(),
      agentRuntimeIdentityToken: z.string().optional(),
    })
    .optional(),
  locale: z.string().optional(),
  userAgent: z.string().optional(),
});

/** The answer to `connect` (wire §3.7). Members that a peer's release adds are kept. */
export const helloOkSchema = z.looseObject({
  type: z.literal("hello-ok"),
  protocol: z.int().min(1),
  server: z.looseObject({ version: text, connId: text, bootId: text.optional() }),
  features: z.looseObject({
    methods: z.array(z.string()),
    events: z.array(z.string()),
    capabilities: z.array(z.string()).optional(),
  }),
  snapshot: z.looseObject({
    presence: z.array(presenceEntrySchema),
    health: z.unknown(),
    stateVersion: stateVersionSchema,
    uptimeMs: count,
    sessionDefaults: z
      .looseObject({
        defaultAgentId: text,
        mainKey: text,
        mainSessionKey: text,
        scope: text.optional(),
      })
      .optional(),
    authMode: z.enum(["none", "token", "password", "trusted-proxy"]).optional(),
  }),
  auth: z
    .looseObject({
      method: z.string().optional(),
      role: text,
      scopes: z.array(z.string()),
      deviceToken: text.optional(),
      issuedAtMs: epochMs.optional(),
      deviceTokens: z
        .array(
          z.looseObject({
            deviceToken: text,
            role: text,
            scopes: z.array(z.string()),
            issuedAtMs: epochMs.optional(),
          }),
        )
        .optional(),
    })
    .optional(),
  policy: z.looseObject({
    maxPayload: z.int().min(1),
    maxBufferedBytes: z.int().min(1),
    tickIntervalMs: z.int().min(1),
  }),
});

export type ConnectChallenge = z.infer<typeof connectChallengeSchema>;
export type ConnectParams = z.infer<typeof connectParamsSchema>;
export type HelloOk = z.infer<typeof helloOkSchema>;
