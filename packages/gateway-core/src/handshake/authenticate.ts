import type { ConnectParams } from "@openclaw/protocol";
import type { IdentityVerdict } from "../auth/identity-verdict.ts";
import type { PeerUser } from "../auth/peer-user.ts";
import { type SharedSecretVerdict, checkSharedSecret } from "../auth/shared-secret.ts";
import { verifyTrustedProxy } from "../auth/trusted-proxy.ts";
import type { GatewayAuth } from "../gateway-options.ts";
import type { AddressList } from "../listener/address-list.ts";
import type { PeerOrigin } from "../listener/peer-address.ts";
import type { DeviceRegistry } from "../pairing/device-registry.ts";
import type { DeviceTokens } from "../pairing/device-tokens.ts";
import { type Refusal, refuse } from "./refusal.ts";

export type AuthMethod =
  | "none"
  | "token"
  | "password"
  | "device-token"
  | "tailscale"
  | "trusted-proxy";

export type AuthVerdict =
  | { ok: true; method: AuthMethod; user?: PeerUser }
  | { ok: false; refusal: Refusal };

/**
 * The shared secret first, then, for a peer that has proven a paired key, the token of that device.
 * A token that fails as a shared secret is tried as a device token before it is called wrong.
 */
export function authenticate(
  params: ConnectParams,
  context: {
    auth: GatewayAuth;
    devices: DeviceRegistry;
    tokens: DeviceTokens;
    deviceId: string | undefined;
    origin: PeerOrigin;
    trustedProxies: AddressList;
    /** What Tailscale says of a peer that asks to be let in by who it is on the tailnet. */
    tailnetIdentity: IdentityVerdict | undefined;
  },
): AuthVerdict {
  const { token, password, deviceToken, bootstrapToken } = params.auth ?? {};
  const shared = checkFirst({ token, password }, context);
  if (shared.ok) return shared;

  if (bootstrapToken) {
    return {
      ok: false,
      refusal: refuse(
        "unauthorized: setup code invalid, expired, revoked, or already used (ask for a new one)",
        {
          detailCode: "AUTH_BOOTSTRAP_TOKEN_INVALID",
          details: advice("bootstrap_token_invalid", "review_auth_configuration"),
        },
      ),
    };
  }

  const { deviceId } = context;
  const record = deviceId === undefined ? undefined : context.devices.get(deviceId);
  const role = params.role ?? "operator";
  const candidate = deviceToken || token;
  if (record && candidate && context.tokens.verify(record, role, candidate).ok)
    return { ok: true, method: "device-token" };

  // Only a peer that sent nothing but a device token hears that the device token is wrong.
  if (deviceId !== undefined && deviceToken && !token && !password) {
    return {
      ok: false,
      refusal: refuse("unauthorized: device token mismatch (pair the device again)", {
        detailCode: "AUTH_DEVICE_TOKEN_MISMATCH",
        details: advice("device_token_mismatch", "update_auth_credentials"),
      }),
    };
  }
  const canRetryWithDeviceToken = !shared.missing && deviceId !== undefined && !deviceToken;
  return {
    ok: false,
    refusal: refuse(shared.message, {
      detailCode: shared.detailCode,
      details: {
        ...advice(
          shared.reason,
          canRetryWithDeviceToken
            ? "retry_with_device_token"
            : shared.missing
              ? "update_auth_configuration"
              : "update_auth_credentials",
        ),
        canRetryWithDeviceToken,
      },
    }),
  };
}

type FirstVerdict =
  | Extract<AuthVerdict, { ok: true }>
  | Extract<SharedSecretVerdict, { ok: false }>;

/** What the mode asks for: somebody's word for who this is, or the shared secret. */
function checkFirst(
  presented: { token: string | undefined; password: string | undefined },
  context: Pick<
    Parameters<typeof authenticate>[1],
    "auth" | "origin" | "trustedProxies" | "tailnetIdentity"
  >,
): FirstVerdict {
  const { auth, origin, tailnetIdentity } = context;
  if (auth.mode !== "trusted-proxy") {
    if (tailnetIdentity === undefined || auth.mode === "none")
      return checkSharedSecret(auth, presented);
    return tailnetIdentity.ok
      ? { ok: true, method: "tailscale", user: tailnetIdentity.user }
      : { ...tailnetIdentity, missing: true };
  }
  const identity = verifyTrustedProxy(origin, auth, context);
  if (identity.ok) return { ok: true, method: "trusted-proxy", user: identity.user };
  // Programs on this machine come past the proxy; the password is for them alone.
  if (origin.isLocal && auth.password !== undefined)
    return checkSharedSecret({ mode: "password", password: auth.password }, presented);
  return { ...identity, missing: true };
}

function advice(authReason: string, recommendedNextStep: string): object {
  return { authReason, canRetryWithDeviceToken: false, recommendedNextStep };
}
