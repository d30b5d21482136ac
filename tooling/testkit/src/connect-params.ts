import { createTestIdentity, signaturePayload } from "./test-identity.ts";
import type { SignatureVersion, TestIdentity } from "./test-identity.ts";

/** What a hand-driven peer says in `connect`. Everything has a default that a Gateway accepts. */
export interface ConnectOptions {
  /** @default "operator" */
  role?: string;
  /** Left out of the frame when undefined. @default all operator scopes for operators, `[]` for nodes */
  scopes?: string[];
  token?: string;
  password?: string;
  deviceToken?: string;
  bootstrapToken?: string;
  /** The host for which a device brings nothing but its key; signed in place of a token. */
  keyFor?: string;
  /** `false` leaves `device` out. @default a fresh identity */
  identity?: TestIdentity | false;
  /** @default "v3" */
  signature?: SignatureVersion;
  /** Signed instead of the challenge's nonce; `null` leaves the nonce out. */
  nonce?: string | null;
  /** @default the challenge's `ts` */
  signedAtMs?: number;
  /** @default "cli", for nodes "node-host" */
  clientId?: string;
  /** @default "cli", for nodes "node" */
  clientMode?: string;
  /** @default "1.0.0" */
  version?: string;
  /** @default "linux" */
  platform?: string;
  deviceFamily?: string;
  displayName?: string;
  instanceId?: string;
  caps?: string[];
  commands?: string[];
  permissions?: Record<string, boolean>;
  pathEnv?: string;
  /** @default 4 */
  minProtocol?: number;
  /** @default 4 */
  maxProtocol?: number;
  /** Last word on the params, for what no option covers: wrong types, further members, bad keys. */
  mutate?: (params: Record<string, unknown>) => Record<string, unknown>;
}

/** The payload of `connect.challenge`. */
export interface Challenge {
  nonce: string;
  ts: number;
}

const ALL_OPERATOR_SCOPES = [
  "operator.admin",
  "operator.read",
  "operator.write",
  "operator.approvals",
  "operator.pairing",
];

/** Builds and signs the params of `connect` for a challenge. */
export function buildConnectParams(
  options: ConnectOptions,
  challenge: Challenge,
): Record<string, unknown> {
  const role = options.role ?? "operator";
  const isNode = role === "node";
  const scopes = "scopes" in options ? options.scopes : isNode ? [] : ALL_OPERATOR_SCOPES;
  const clientId = options.clientId ?? (isNode ? "node-host" : "cli");
  const clientMode = options.clientMode ?? (isNode ? "node" : "cli");
  const platform = options.platform ?? "linux";
  const params: Record<string, unknown> = compact({
    minProtocol: options.minProtocol ?? 4,
    maxProtocol: options.maxProtocol ?? 4,
    client: compact({
      id: clientId,
      mode: clientMode,
      version: options.version ?? "1.0.0",
      platform,
      deviceFamily: options.deviceFamily,
      displayName: options.displayName,
      instanceId: options.instanceId,
    }),
    role,
    scopes,
    caps: options.caps,
    commands: options.commands,
    permissions: options.permissions,
    pathEnv: options.pathEnv,
  });
  const auth = compact({
    token: options.token,
    password: options.password,
    deviceToken: options.deviceToken,
    bootstrapToken: options.bootstrapToken,
    keyFor: options.keyFor,
  });
  if (Object.keys(auth).length > 0) params["auth"] = auth;
  if (options.identity !== false) {
    const identity = options.identity ?? createTestIdentity();
    const signedAt = options.signedAtMs ?? challenge.ts;
    const nonce = options.nonce === null ? undefined : (options.nonce ?? challenge.nonce);
    const claim = options.keyFor === undefined ? "" : `key-for:${options.keyFor}`;
    const payload = signaturePayload(options.signature ?? "v3", identity.deviceId, {
      clientId,
      clientMode,
      role,
      scopes: scopes ?? [],
      signedAtMs: signedAt,
      token: options.token ?? options.deviceToken ?? options.bootstrapToken ?? claim,
      nonce: nonce ?? "",
      platform,
      deviceFamily: options.deviceFamily ?? "",
    });
    params["device"] = compact({
      id: identity.deviceId,
      publicKey: identity.publicKey,
      signature: identity.sign(payload),
      signedAt,
      nonce,
    });
  }
  return options.mutate ? options.mutate(params) : params;
}

function compact(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
