import { buildDeviceAuthPayload, CAP_PAIRING_WAIT } from "@openclaw/protocol";
import type { ConnectPlan } from "./connect-plan.ts";
import type { DeviceIdentity } from "../identity/device-identity.ts";
import type { ResolvedGatewayClientOptions } from "../client-options.ts";

/** Payload of `connect.challenge`. */
export interface ConnectChallenge {
  readonly nonce: string;
  readonly ts: number;
  /** The Gateway can keep a handshake open until an operator has decided about the device. */
  readonly offersPairingWait: boolean;
}

/** The challenge in an event's payload, if it is one. */
export function parseChallenge(payload: unknown): ConnectChallenge | undefined {
  if (typeof payload !== "object" || payload === null) return undefined;
  const { nonce, ts, capabilities } = payload as Record<"nonce" | "ts" | "capabilities", unknown>;
  if (typeof nonce !== "string" || nonce === "") return undefined;
  if (typeof ts !== "number" || !Number.isSafeInteger(ts) || ts < 0) return undefined;
  const offersPairingWait = Array.isArray(capabilities) && capabilities.includes(CAP_PAIRING_WAIT);
  return { nonce, ts, offersPairingWait };
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
): Promise<object> {
  const { identity } = options;
  const device = identity ? await proveDevice(identity, options, plan, challenge) : undefined;
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
    ...(plan.credential.auth && { auth: plan.credential.auth }),
  };
}

async function proveDevice(
  identity: DeviceIdentity,
  options: Pick<ResolvedGatewayClientOptions, "client" | "role" | "scopes">,
  plan: ConnectPlan,
  challenge: ConnectChallenge,
): Promise<object> {
  const { auth } = plan.credential;
  // The Gateway's own clock, so that a wrong clock here does not make the signature stale.
  const signedAt = challenge.ts;
  const payload = buildDeviceAuthPayload(plan.signature, {
    deviceId: identity.deviceId,
    clientId: options.client.id,
    clientMode: options.client.mode,
    role: options.role,
    scopes: options.scopes,
    signedAtMs: signedAt,
    token: auth?.token ?? auth?.deviceToken ?? auth?.bootstrapToken ?? "",
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
