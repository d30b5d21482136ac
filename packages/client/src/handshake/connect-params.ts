import {
  buildDeviceAuthPayload,
  CAP_DEVICE_KEY,
  CAP_PAIRING_WAIT,
  deviceKeyClaim,
} from "@openclaw/protocol";
import type { ConnectPlan } from "./connect-plan.ts";
import type { DeviceIdentity } from "../identity/device-identity.ts";
import type { ResolvedGatewayClientOptions } from "../client-options.ts";

/** Payload of `connect.challenge`. */
export interface ConnectChallenge {
  readonly nonce: string;
  readonly ts: number;
  /** The Gateway can keep a handshake open until an operator has decided about the device. */
  readonly offersPairingWait: boolean;
  /** A paired device may come in by its key alone, for the host that it names. */
  readonly offersDeviceKey: boolean;
}

/** The challenge in an event's payload, if it is one. */
export function parseChallenge(payload: unknown): ConnectChallenge | undefined {
  if (typeof payload !== "object" || payload === null) return undefined;
  const { nonce, ts, capabilities } = payload as Record<"nonce" | "ts" | "capabilities", unknown>;
  if (typeof nonce !== "string" || nonce === "") return undefined;
  if (typeof ts !== "number" || !Number.isSafeInteger(ts) || ts < 0) return undefined;
  const offers = (cap: string): boolean =>
    Array.isArray(capabilities) && capabilities.includes(cap);
  return {
    nonce,
    ts,
    offersPairingWait: offers(CAP_PAIRING_WAIT),
    offersDeviceKey: offers(CAP_DEVICE_KEY),
  };
}

/** Params of the `connect` request, with fields only that both generations know where 3 is offered. */
export async function buildConnectParams(
  options: Pick<
    ResolvedGatewayClientOptions,
    | "client"
    | "role"
    | "scopes"
    | "caps"
    | "commands"
    | "permissions"
    | "pathEnv"
    | "identity"
    | "reconnect"
  >,
  plan: ConnectPlan,
  challenge: ConnectChallenge,
  /** The host that was dialled, lower case, without port and brackets. */
  host: string,
): Promise<object> {
  const { identity } = options;
  const { auth } = plan.credential;
  const keyFor = identity && auth === undefined && challenge.offersDeviceKey ? host : undefined;
  const token = auth?.token ?? auth?.deviceToken ?? auth?.bootstrapToken ?? "";
  const signed = keyFor === undefined ? token : deviceKeyClaim(keyFor);
  const device = identity
    ? await proveDevice(identity, options, plan, challenge, signed)
    : undefined;
  return {
    minProtocol: plan.minProtocol,
    maxProtocol: plan.maxProtocol,
    client: options.client,
    role: options.role,
    scopes: options.scopes,
    // Whoever does not wait for approval wants to hear at once that it is missing.
    caps:
      challenge.offersPairingWait && options.reconnect
        ? [...options.caps, CAP_PAIRING_WAIT]
        : options.caps,
    ...(options.commands && { commands: options.commands }),
    ...(options.permissions && { permissions: options.permissions }),
    ...(options.pathEnv !== undefined && { pathEnv: options.pathEnv }),
    ...(device && { device }),
    ...(auth && { auth }),
    ...(keyFor !== undefined && { auth: { keyFor } }),
  };
}

async function proveDevice(
  identity: DeviceIdentity,
  options: Pick<ResolvedGatewayClientOptions, "client" | "role" | "scopes">,
  plan: ConnectPlan,
  challenge: ConnectChallenge,
  token: string,
): Promise<object> {
  // The Gateway's own clock, so that a wrong clock here does not make the signature stale.
  const signedAt = challenge.ts;
  const payload = buildDeviceAuthPayload(plan.signature, {
    deviceId: identity.deviceId,
    clientId: options.client.id,
    clientMode: options.client.mode,
    role: options.role,
    scopes: options.scopes,
    signedAtMs: signedAt,
    token,
    nonce: challenge.nonce,
    platform: options.client.platform,
    deviceFamily: options.client.deviceFamily,
  });
  return {
    id: identity.deviceId,
    publicKey: identity.publicKey,
    signature: await identity.sign(payload),
    signedAt,
    nonce: challenge.nonce,
  };
}
