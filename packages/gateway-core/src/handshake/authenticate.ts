import type { ConnectParams } from "@openclaw/protocol";
import type { IdentityVerdict } from "../auth/identity-verdict.ts";
import type { PeerUser } from "../auth/peer-user.ts";
import { type SharedSecretVerdict, checkSharedSecret } from "../auth/shared-secret.ts";
import { isShutOut, verifyTrustedProxy } from "../auth/trusted-proxy.ts";
import type { GatewayAuth } from "../gateway-options.ts";
import type { AddressList } from "../listener/address-list.ts";
import type { OwnHost } from "../listener/own-host.ts";
import type { PeerOrigin } from "../listener/peer-address.ts";
import type { DeviceRegistry } from "../pairing/device-registry.ts";
import type { DeviceTokens } from "../pairing/device-tokens.ts";
import { mayRepair } from "../pairing/pairing-decision.ts";
import type { SetupCodes, SetupRecord } from "../pairing/setup-codes.ts";
import type { SecretKind } from "../auth/throttle/throttle.ts";
import { type Refusal, refuse } from "./refusal.ts";

export type AuthMethod =
  | "none"
  | "token"
  | "password"
  | "device-token"
  | "bootstrap-token"
  | "tailscale"
  | "trusted-proxy";

export type AuthVerdict =
  | { ok: true; method: AuthMethod | "device-key"; user?: PeerUser; setup?: SetupRecord }
  | { ok: false; refusal: Refusal };

/** The tries of one peer at one kind of secret, as the throttle sees them. */
export interface Guesses {
  waitMs(kind: SecretKind): number;
  failed(kind: SecretKind): void;
  succeeded(kind: SecretKind): void;
}

/**
 * The shared secret first, then a setup code, then, for a peer that has proven a paired key, the
 * token of that device. A token that fails as a shared secret is tried as a device token before it
 * is called wrong. Whoever brings nothing but the proof of a paired key is let in by that.
 *
 * While a peer is slowed down its guesses are not looked at; what needs no guessing still is.
 */
export function authenticate(
  params: ConnectParams,
  context: {
    auth: GatewayAuth;
    devices: DeviceRegistry;
    tokens: DeviceTokens;
    device: { deviceId: string; publicKey: string; isFresh: boolean } | undefined;
    setups: SetupCodes;
    guesses: Guesses;
    origin: PeerOrigin;
    trustedProxies: AddressList;
    /** Whether a host that a peer has dialled is this Gateway's. */
    isOwnHost: OwnHost;
    /** What Tailscale says of a peer that asks to be let in by who it is on the tailnet. */
    tailnetIdentity: IdentityVerdict | undefined;
  },
): AuthVerdict {
  const { token, password, deviceToken, bootstrapToken, keyFor } = params.auth ?? {};
  const { device, guesses } = context;
  // A credential that is missing is no guess.
  const isGuess = Boolean(token || password) && context.auth.mode !== "none";
  const waitMs = isGuess ? guesses.waitMs("shared-secret") : 0;
  const presented = waitMs > 0 ? { token: undefined, password: undefined } : { token, password };
  const shared = checkFirst(presented, context);
  if (shared.ok) {
    if (isGuess) guesses.succeeded("shared-secret");
    return shared;
  }
  if (shared.isFinal === true) return { ok: false, refusal: firstRefused(shared) };
  const wasGuess = isGuess && waitMs === 0;
  if (bootstrapToken) {
    // Looked at and wrong is a guess, whatever else came along.
    if (wasGuess) guesses.failed("shared-secret");
    return redeem(bootstrapToken, context);
  }

  const deviceId = device?.deviceId;
  const record = deviceId === undefined ? undefined : context.devices.get(deviceId);
  const role = params.role ?? "operator";
  const candidate = deviceToken || token;
  if (record && candidate && context.tokens.verify(record, role, candidate).ok) {
    const isOnlyCandidate = [token, password].every((secret) => !secret || secret === candidate);
    if (wasGuess && !isOnlyCandidate) guesses.failed("shared-secret");
    return { ok: true, method: "device-token" };
  }
  // A page's key lies where the page's scripts do, and is no proof that a person logged in.
  const bringsNothing = !token && !password && !deviceToken;
  // Signed for another host, it was meant for somebody else, who has passed it on.
  const isForUs = keyFor !== undefined && context.isOwnHost(keyFor, context.origin);
  const isProof = device?.isFresh === true && isForUs;
  if (bringsNothing && isProof && context.origin.browserOrigin === undefined)
    if (mayRepair(record, { publicKey: device.publicKey, role }))
      return { ok: true, method: "device-key" };

  if (waitMs > 0) return { ok: false, refusal: rateLimited(waitMs) };
  if (isGuess) guesses.failed("shared-secret");
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

function firstRefused({
  message,
  detailCode,
  reason,
}: Extract<FirstVerdict, { ok: false }>): Refusal {
  return refuse(message, { detailCode, details: advice(reason, "update_auth_configuration") });
}

/** The refusal of a guess that is not looked at. */
export function rateLimited(waitMs: number): Refusal {
  const refusal = refuse("unauthorized: too many failed attempts (wait, then try again)", {
    detailCode: "AUTH_RATE_LIMITED",
    details: advice("rate_limited", "wait_then_retry"),
    retryable: true,
  });
  refusal.error.retryAfterMs = Math.ceil(waitMs);
  return refusal;
}

/** Whether a setup code is good for this device; what it grants is given afterwards. */
function redeem(
  token: string,
  {
    device,
    setups,
    guesses,
  }: Pick<Parameters<typeof authenticate>[1], "device" | "setups" | "guesses">,
): AuthVerdict {
  // It is bound to a key, so that nobody who overhears the answer can use it again.
  if (!device) {
    const message = "device identity required";
    const options = { code: "NOT_PAIRED", detailCode: "DEVICE_IDENTITY_REQUIRED" } as const;
    return { ok: false, refusal: refuse(message, options) };
  }
  const waitMs = guesses.waitMs("bootstrap-token");
  if (waitMs > 0) return { ok: false, refusal: rateLimited(waitMs) };
  const setup = setups.find(token, device);
  if (setup) {
    guesses.succeeded("bootstrap-token");
    return { ok: true, method: "bootstrap-token", setup };
  }
  guesses.failed("bootstrap-token");
  return { ok: false, refusal: setupCodeInvalid() };
}

/** What a peer is told of a setup code that is not, no longer, or not for it. */
export function setupCodeInvalid(): Refusal {
  return refuse(
    "unauthorized: setup code invalid, expired, revoked, or already used (ask for a new one)",
    {
      detailCode: "AUTH_BOOTSTRAP_TOKEN_INVALID",
      details: advice("bootstrap_token_invalid", "review_auth_configuration"),
    },
  );
}

/** The setup code is good, and for less than the peer asks for. */
export function setupScopeMismatch(): Refusal {
  return refuse("unauthorized: this setup code does not cover the role and scopes asked for", {
    detailCode: "AUTH_SCOPE_MISMATCH",
    details: advice("scope_mismatch", "review_auth_configuration"),
  });
}

type FirstVerdict =
  | Extract<AuthVerdict, { ok: true }>
  /** `isFinal`: nothing else that it brings may let it in. */
  | (Extract<SharedSecretVerdict, { ok: false }> & { isFinal?: boolean });

/** What the mode asks for: somebody's word for who this is, or the shared secret. */
function checkFirst(
  presented: { token: string | undefined; password: string | undefined },
  context: Pick<
    Parameters<typeof authenticate>[1],
    "auth" | "origin" | "trustedProxies" | "tailnetIdentity"
  >,
): FirstVerdict {
  const { auth, origin, tailnetIdentity } = context;
  // Without a secret, whoever reaches the proxy would be in.
  if (auth.mode === "none" && origin.via !== "direct") {
    return {
      ok: false,
      missing: true,
      detailCode: "AUTH_REQUIRED",
      reason: "auth_required",
      message:
        "unauthorized: the Gateway has no secret and takes nobody who comes through a proxy (set gateway.auth.token)",
    };
  }
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
  // The proxy has said who it is, and that one is to stay out: a paired device does not change that.
  return { ...identity, missing: true, isFinal: isShutOut(identity) };
}

function advice(authReason: string, recommendedNextStep: string): object {
  return { authReason, canRetryWithDeviceToken: false, recommendedNextStep };
}
