import {
  CAP_INVOKE_LEDGER,
  CAP_PAIRING_WAIT,
  CLOSE,
  type ConnectParams,
  MIN_PROTOCOL_VERSION,
  OPERATOR_SCOPES,
  PROTOCOL_VERSION,
  connectParamsSchema,
  negotiateProtocol,
  validateParams,
} from "@openclaw/protocol";
import type { IdentityVerdict } from "../auth/identity-verdict.ts";
import type { PeerUser } from "../auth/peer-user.ts";
import { scopeCaps } from "../auth/trusted-proxy.ts";
import type { ClientDescription } from "../connections/connection.ts";
import type { ResolvedGatewayOptions } from "../gateway-options.ts";
import type { PeerOrigin } from "../listener/peer-address.ts";
import { type CommandPolicy, type NodePlatform, nodePlatform } from "../nodes/command-policy.ts";
import {
  type DeviceClaim,
  type DeviceRecord,
  type NodeSurface,
  compact,
} from "../pairing/device-record.ts";
import type { DeviceRegistry } from "../pairing/device-registry.ts";
import type { DeviceTokens } from "../pairing/device-tokens.ts";
import { isPlain, plainText } from "../plain-text.ts";
import { PAIRING_REASON_TEXT } from "../pairing/pairing-decision.ts";
import type { Admission, PairingService } from "../pairing/pairing-service.ts";
import type { FailureLog } from "../auth/throttle/failure-log.ts";
import type { Claimant, Throttle } from "../auth/throttle/throttle.ts";
import type { SetupCodes } from "../pairing/setup-codes.ts";
import {
  type AuthMethod,
  type AuthVerdict,
  type Guesses,
  authenticate,
  rateLimited,
  setupCodeInvalid,
  setupScopeMismatch,
} from "./authenticate.ts";
import { checkOrigin } from "./origin-rule.ts";
import { type Refusal, refuse } from "./refusal.ts";
import { capScopes } from "./scope-cap.ts";
import { canonicalPublicKey, verifyDevice } from "./verify-device.ts";

/** What a `connect` request is judged by. */
export interface ConnectContext {
  options: ResolvedGatewayOptions;
  devices: DeviceRegistry;
  tokens: DeviceTokens;
  pairing: PairingService;
  setups: SetupCodes;
  throttle: Throttle;
  authFailures: FailureLog;
  policy: CommandPolicy;
  origin: PeerOrigin;
  nonce: string;
  /** What Tailscale says of a peer that asks to be let in by who it is on the tailnet. */
  tailnetIdentity: IdentityVerdict | undefined;
}

/** A peer that may come in, and as what. */
export interface Accepted {
  params: ConnectParams;
  protocol: 3 | 4;
  role: "operator" | "node";
  scopes: readonly string[];
  client: ClientDescription;
  authMethod: AuthMethod;
  /** The person behind it, where somebody we trust has named one. */
  user: PeerUser | undefined;
  deviceId: string | undefined;
  deviceToken: IssuedToken | undefined;
  /** What a setup code gave besides, for the device's other roles. */
  deviceTokens: readonly (IssuedToken & { role: string; scopes: readonly string[] })[];
  node: AcceptedNode | undefined;
}

export interface IssuedToken {
  token: string;
  issuedAtMs: number;
}

export interface AcceptedNode {
  platform: NodePlatform;
  /** All commands that it declared. */
  offered: string[];
  /** The part that the policy lets it offer. */
  declared: NodeSurface;
  pathEnv: string | undefined;
  keepsLedger: boolean;
}

export type ConnectDecision =
  | { ok: true; accepted: Accepted }
  /** `waitsFor` is the device that an operator has to decide about, of a client that would wait. */
  | { ok: false; refusal: Refusal; waitsFor?: string };

const no = (refusal: Refusal): ConnectDecision => ({ ok: false, refusal });

/**
 * Judges a `connect` request, in the order of the protocol: shape, version, role, origin, device,
 * authentication, pairing. It changes nothing but the pairing records.
 */
export function decideConnect(rawParams: unknown, context: ConnectContext): ConnectDecision {
  const validated = validateParams(connectParamsSchema, rawParams ?? {});
  if (!validated.ok) return no(refuse(`invalid connect params: ${validated.detail}`));
  const params = validated.value;

  const protocol = negotiateProtocol(params);
  if (protocol === undefined) return no(protocolMismatch(params));
  const role = roleOf(params);
  if (role === undefined) return no(refuse("invalid role"));

  const { origin, options } = context;
  const originVerdict = checkOrigin(origin, params.client.id, options.edge.originRules);
  if (!originVerdict.ok) {
    return no(
      refuse("origin not allowed (list it in gateway.controlUi.allowedOrigins)", {
        detailCode: "CONTROL_UI_ORIGIN_NOT_ALLOWED",
        details: { reason: originVerdict.reason },
      }),
    );
  }

  const claimedId = params.device?.id.toLowerCase();
  const fail = (refusal: Refusal, identity = claimedId ?? programName(params)): ConnectDecision => {
    const reason = reasonOf(refusal);
    context.authFailures.add({ address: origin.address, identity: plainText(identity), reason });
    return no(refusal);
  };
  // A signature costs far more to check than a guess to make. The key is asked for besides the id, so
  // that whoever has seen an id does not learn whether it is paired.
  const claimedKey = params.device && canonicalPublicKey(params.device.publicKey);
  const isClaimOfPaired =
    claimedId !== undefined &&
    isPaired(context, claimedId) &&
    context.devices.get(claimedId)?.publicKey === claimedKey;
  if (claimedId !== undefined && !isClaimOfPaired) {
    const waitMs = guessWaitMs(params, guessesOf(context, { identity: claimedId }));
    if (waitMs > 0) return fail(rateLimited(waitMs));
  }
  const now = options.now();
  const device = params.device
    ? verifyDevice(params, { nonce: context.nonce, isLocal: origin.isLocal, now })
    : undefined;
  if (device && !device.ok) {
    return fail(
      refuse(device.message, { detailCode: device.detailCode, details: { reason: device.reason } }),
    );
  }

  const auth = authenticate(params, {
    auth: options.auth,
    devices: context.devices,
    tokens: context.tokens,
    device,
    setups: context.setups,
    guesses: guessesOf(context, {
      identity: device?.deviceId ?? programName(params),
      isPaired: device !== undefined && isPaired(context, device.deviceId),
    }),
    origin,
    trustedProxies: options.edge.proxyTrust.trustedProxies,
    isOwnHost: options.edge.isOwnHost,
    tailnetIdentity: context.tailnetIdentity,
  });
  const needsDevice = device === undefined && role === "node";
  if (!auth.ok) {
    // Without a device there is nothing else that could let it in, and that is what it should hear.
    const sentNothing = !params.auth?.token && !params.auth?.password;
    return fail(!device && sentNothing && needsDevice ? deviceRequired() : auth.refusal);
  }
  if (needsDevice) return no(deviceRequired());
  // Whose word it is that lets a peer in is no key: without one, nobody could take it away again.
  if (!device && auth.method === "tailscale") return no(deviceRequired());

  const base = {
    params,
    protocol,
    role,
    client: describeClient(params),
    // On the wire a proven key is what its token stands for.
    authMethod: auth.method === "device-key" ? ("device-token" as const) : auth.method,
    deviceTokens: [],
    user: auth.user,
  };
  // Whatever let it in: a cap of the proxy holds for all that come through it.
  const caps = options.auth.mode === "trusted-proxy" ? scopeCaps(origin) : [];
  if (!device) {
    const free = deviceFreeScopes(params, protocol, { origin, method: base.authMethod });
    const scopes = caps.reduce<readonly string[]>(capScopes, free);
    return {
      ok: true,
      accepted: { ...base, scopes, deviceId: undefined, deviceToken: undefined, node: undefined },
    };
  }

  const node = role === "node" ? describeNode(params, context.policy) : undefined;
  const asked = role === "node" ? [] : requestedScopes(params, protocol);
  const scopes = caps.reduce<readonly string[]>(capScopes, asked);
  const claim = describeClaim(base.client, { ...device, role, scopes, node, origin });
  const admission = admit(claim, { auth, protocol, params }, context);
  if (!admission.ok) return admission;
  const { record, roles } = admission;
  const deviceToken = issueToken(record, role, context);
  const deviceTokens = roles
    .filter((other) => other !== role)
    .flatMap((other) => {
      const issued = issueToken(record, other, context);
      const granted = record.roles[other]?.scopes ?? [];
      return issued ? [{ ...issued, role: other, scopes: granted }] : [];
    });
  const { deviceId } = device;
  return {
    ok: true,
    accepted: { ...base, scopes, deviceId, deviceToken, deviceTokens, node },
  };
}

type AdmitVerdict =
  /** `roles` are those that a setup code has given. */
  | { ok: true; record: DeviceRecord; roles: readonly string[] }
  | Extract<ConnectDecision, { ok: false }>;

/** Whether the device is paired for what it asks, or may be now. */
function admit(
  claim: DeviceClaim,
  {
    auth,
    protocol,
    params,
  }: { auth: Extract<AuthVerdict, { ok: true }>; protocol: 3 | 4; params: ConnectParams },
  context: ConnectContext,
): AdmitVerdict {
  if (auth.setup) {
    const admission = context.pairing.admitBySetup(claim, auth.setup);
    if (admission.ok) return admission;
    const refusal =
      admission.reason === "scope-mismatch" ? setupScopeMismatch() : setupCodeInvalid();
    return { ok: false, refusal };
  }
  const admission = context.pairing.admit(claim, mayPairSilently(context, auth.method));
  if (admission.ok) return { ...admission, roles: [] };
  const refusal = pairingRequired(admission, claim, protocol);
  const wouldWait = params.caps?.includes(CAP_PAIRING_WAIT) === true;
  return { ok: false, refusal, ...(wouldWait ? { waitsFor: claim.deviceId } : {}) };
}

function issueToken(
  { deviceId, roles }: DeviceRecord,
  role: string,
  { tokens }: ConnectContext,
): IssuedToken | undefined {
  const grant = roles[role];
  if (!grant || grant.revokedAtMs !== undefined) return undefined;
  return {
    token: tokens.issue(deviceId, role, grant),
    issuedAtMs: grant.rotatedAtMs ?? grant.createdAtMs,
  };
}

/** The tries of a peer, kept under who it says it is and where it comes from. */
function guessesOf(
  { throttle, origin }: ConnectContext,
  { identity, isPaired: paired = false }: { identity: string; isPaired?: boolean },
): Guesses {
  const claimant: Claimant = { address: origin.address, identity, isPaired: paired };
  return {
    waitMs: (kind) => throttle.waitMs(claimant, kind),
    failed: (kind) => throttle.failed(claimant, kind),
    succeeded: (kind) => throttle.succeeded(claimant, kind),
  };
}

/** What tells one program without a key from another, as far as it says so itself. */
function programName({ client: { id, mode, instanceId } }: ConnectParams): string {
  return instanceId === undefined ? `${id}/${mode}` : `${id}/${mode}/${instanceId.slice(0, 64)}`;
}

/** How long until what a peer presents may be looked at. */
function guessWaitMs({ auth }: ConnectParams, guesses: Guesses): number {
  if (auth?.token || auth?.password) return guesses.waitMs("shared-secret");
  return auth?.bootstrapToken ? guesses.waitMs("bootstrap-token") : 0;
}

/** A device that is granted something. */
function isPaired({ devices }: ConnectContext, deviceId: string): boolean {
  const record = devices.get(deviceId);
  return record !== undefined && liveRoles(record).length > 0;
}

function reasonOf({ error }: Refusal): string {
  const { authReason, reason, code } = (error.details ?? {}) as Record<string, unknown>;
  const named = [authReason, reason, code].find((value) => typeof value === "string");
  return typeof named === "string" ? named : error.code;
}

function roleOf({ role = "operator" }: ConnectParams): "operator" | "node" | undefined {
  return role === "operator" || role === "node" ? role : undefined;
}

function protocolMismatch(params: ConnectParams): Refusal {
  return refuse("protocol mismatch", {
    detailCode: "PROTOCOL_MISMATCH",
    details: {
      clientMinProtocol: params.minProtocol,
      clientMaxProtocol: params.maxProtocol,
      expectedProtocol: PROTOCOL_VERSION,
      minimumProbeProtocol: MIN_PROTOCOL_VERSION,
    },
    closeCode: CLOSE.PROTOCOL_ERROR,
  });
}

function deviceRequired(): Refusal {
  return refuse("device identity required", {
    code: "NOT_PAIRED",
    detailCode: "DEVICE_IDENTITY_REQUIRED",
  });
}

/**
 * Clients of protocol 3 that name no scopes mean all of them; newer ones mean none. A scope that we
 * do not know opens nothing here, so it is left out rather than waited for.
 */
function requestedScopes(params: ConnectParams, protocol: 3 | 4): readonly string[] {
  const asked = params.scopes ?? (protocol === 3 ? ["operator.admin"] : []);
  return [...new Set(asked)].filter((scope) => KNOWN_SCOPES.has(scope));
}

const KNOWN_SCOPES: ReadonlySet<string> = new Set(OPERATOR_SCOPES);

/**
 * The secret alone, without a device, is enough to ask for health. Scopes come with it only for the
 * command line and programs on this machine, and for the older clients that know no other way.
 */
function deviceFreeScopes(
  params: ConnectParams,
  protocol: 3 | 4,
  { origin, method }: { origin: PeerOrigin; method: AuthMethod },
): readonly string[] {
  const { id, mode } = params.client;
  // The proxy has named the person, which is more than a secret that many may know.
  if (method === "trusted-proxy")
    return id === "openclaw-control-ui" ? requestedScopes(params, protocol) : [];
  if (origin.browserOrigin !== undefined) return [];
  const isLocalProgram =
    origin.isLocal &&
    ((id === "cli" && mode === "cli") || (id === "gateway-client" && mode === "backend"));
  return isLocalProgram || protocol === 3 ? requestedScopes(params, protocol) : [];
}

/** Being on this machine and knowing the secret is proof enough to pair, for all but browser pages. */
function mayPairSilently(context: ConnectContext, method: AuthMethod | "device-key"): boolean {
  const { options, origin } = context;
  return (
    options.autoApproveLocal &&
    origin.isLocal &&
    origin.browserOrigin === undefined &&
    method !== "device-token" &&
    method !== "device-key"
  );
}

function pairingRequired(
  admission: Extract<Admission, { ok: false }>,
  claim: DeviceClaim,
  protocol: 3 | 4,
): Refusal {
  const { reason, request, record } = admission;
  const approvedRoles = record ? liveRoles(record) : undefined;
  const approvedScopes = record?.roles[claim.role]?.scopes;
  const message = `pairing required: ${PAIRING_REASON_TEXT[reason]}`;
  return refuse(protocol === 3 ? "pairing required" : message, {
    code: "NOT_PAIRED",
    detailCode: "PAIRING_REQUIRED",
    details: {
      reason,
      requestId: request.requestId,
      remediationHint: `Approve it on the Gateway host: openclaw devices approve ${request.requestId}`,
      deviceId: claim.deviceId,
      requestedRole: claim.role,
      requestedScopes: claim.scopes,
      ...(approvedRoles === undefined ? {} : { approvedRoles }),
      ...(approvedScopes === undefined ? {} : { approvedScopes }),
      recommendedNextStep: "wait_then_retry",
      retryable: true,
      pauseReconnect: false,
    },
    closeReason:
      protocol === 3 ? "pairing required" : `${message} (requestId: ${request.requestId})`,
  });
}

function liveRoles({ roles }: DeviceRecord): string[] {
  return Object.keys(roles).filter((role) => roles[role]?.revokedAtMs === undefined);
}

function describeClient(params: ConnectParams): ClientDescription {
  const { id, mode, version, platform } = params.client;
  const { displayName, deviceFamily, modelIdentifier, instanceId } = params.client;
  const shown = (text: string | undefined): string | undefined =>
    (text === undefined ? undefined : plainText(text)) || undefined;
  return compact<ClientDescription>({
    id,
    mode,
    version: shown(version) ?? "unknown",
    platform: shown(platform) ?? "unknown",
    displayName: shown(displayName),
    deviceFamily: shown(deviceFamily),
    modelIdentifier: shown(modelIdentifier),
    instanceId: shown(instanceId),
  });
}

/** The PATH of a developer's machine is long, but not that long. */
const MAX_PATH_CHARS = 32_768;

function describeNode(params: ConnectParams, policy: CommandPolicy): AcceptedNode {
  const platform = nodePlatform(params.client.platform, params.client.deviceFamily);
  // How the client likes to wait is nothing that a node can be asked for.
  const caps = (params.caps ?? []).filter((cap) => isPlain(cap) && cap !== CAP_PAIRING_WAIT);
  return {
    platform,
    offered: [...(params.commands ?? [])],
    declared: {
      caps: [...new Set(caps)],
      commands: [...new Set(params.commands)].filter((name) => policy.allows(platform, name)),
      permissions: Object.fromEntries(
        Object.entries(params.permissions ?? {}).filter(([name]) => isPlain(name)),
      ),
    },
    pathEnv: params.pathEnv === undefined ? undefined : plainText(params.pathEnv, MAX_PATH_CHARS),
    keepsLedger: caps.includes(CAP_INVOKE_LEDGER),
  };
}

function describeClaim(
  client: ClientDescription,
  proven: {
    deviceId: string;
    publicKey: string;
    role: string;
    scopes: readonly string[];
    node: AcceptedNode | undefined;
    origin: PeerOrigin;
  },
): DeviceClaim {
  return compact<DeviceClaim>({
    deviceId: proven.deviceId,
    publicKey: proven.publicKey,
    displayName: client.displayName,
    platform: client.platform,
    deviceFamily: client.deviceFamily,
    modelIdentifier: client.modelIdentifier,
    version: client.version,
    clientId: client.id,
    clientMode: client.mode,
    role: proven.role,
    scopes: [...proven.scopes],
    remoteIp: proven.origin.address,
    surface: proven.node?.declared,
  });
}
