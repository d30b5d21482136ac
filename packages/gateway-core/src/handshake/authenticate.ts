import type { ConnectParams } from "@openclaw/protocol";
import { checkSharedSecret } from "../auth/shared-secret.ts";
import type { GatewayAuth } from "../gateway-options.ts";
import type { DeviceRegistry } from "../pairing/device-registry.ts";
import type { DeviceTokens } from "../pairing/device-tokens.ts";
import { type Refusal, refuse } from "./refusal.ts";

export type AuthMethod = "none" | "token" | "password" | "device-token";

export type AuthVerdict = { ok: true; method: AuthMethod } | { ok: false; refusal: Refusal };

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
  },
): AuthVerdict {
  const { token, password, deviceToken, bootstrapToken } = params.auth ?? {};
  const shared = checkSharedSecret(context.auth, { token, password });
  if (shared.ok) return { ok: true, method: shared.method };

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

function advice(authReason: string, recommendedNextStep: string): object {
  return { authReason, canRetryWithDeviceToken: false, recommendedNextStep };
}
