import type { ConnectErrorDetailCode } from "@openclaw/protocol";
import type { GatewayAuth } from "../gateway-options.ts";
import { secretsEqual } from "./constant-time.ts";

/** What a peer put into `connect.auth`. */
export interface PresentedSecrets {
  token?: string | undefined;
  password?: string | undefined;
}

export type SharedSecretVerdict =
  | { ok: true; method: "token" | "password" | "none" }
  | {
      ok: false;
      missing: boolean;
      detailCode: ConnectErrorDetailCode;
      message: string;
      reason: string;
    };

/**
 * Whether a peer holds the shared secret. Either field may carry it, whichever mode is set; the
 * refusal names the mode, so that a person knows which of the two is asked for.
 */
export function checkSharedSecret(
  auth: Exclude<GatewayAuth, { mode: "trusted-proxy" }>,
  presented: PresentedSecrets,
): SharedSecretVerdict {
  if (auth.mode === "none") return { ok: true, method: "none" };
  const expected = auth.mode === "token" ? auth.token : auth.password;
  const candidates = [presented.token, presented.password].filter(
    (value): value is string => typeof value === "string" && value !== "",
  );
  // Every candidate is compared, so that the time tells nothing about which one matched.
  let matched = false;
  for (const candidate of candidates) matched = secretsEqual(candidate, expected) || matched;
  if (matched) return { ok: true, method: auth.mode };

  const name = auth.mode;
  const upper = name === "token" ? "TOKEN" : "PASSWORD";
  const missing = candidates.length === 0;
  const hint = missing
    ? `pass --${name}, set OPENCLAW_GATEWAY_${upper}, or set gateway.remote.${name}`
    : `check --${name}, OPENCLAW_GATEWAY_${upper} or gateway.remote.${name} against gateway.auth.${name}`;
  return {
    ok: false,
    missing,
    detailCode: `AUTH_${upper}_${missing ? "MISSING" : "MISMATCH"}`,
    message: `unauthorized: gateway ${name} ${missing ? "missing" : "mismatch"} (${hint})`,
    reason: `${name}_${missing ? "missing" : "mismatch"}`,
  };
}
