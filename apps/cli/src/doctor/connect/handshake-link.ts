import { existsSync } from "node:fs";
import { isObject, safeText } from "@openclaw/app-kit";
import {
  fileTokenStore,
  type GatewayClient,
  GatewayError,
  loadOrCreateDeviceIdentity,
} from "@openclaw/client";
import { type GatewayTarget, stateFiles } from "@openclaw/config";
import type { Way } from "@openclaw/app-kit";
import { connect } from "../../gateway/session.ts";
import type { CommandContext } from "../../program/command-context.ts";
import type { StepFailure, Taken } from "../../remote/walk.ts";
import { CONNECT_FAULTS, fault } from "./faults.ts";
import { type ConnectTarget } from "./choose-target.ts";
import { missingScope } from "./scope-fault.ts";
import { goTo, type Trail } from "./trail.ts";

const HANDSHAKE_SHARE_MS = 2_000;

export interface HandshakeLink {
  readonly isWithoutCredential: ConnectTarget["isWithoutCredential"];
  readonly scopes: readonly string[];
  readonly way: Way | undefined;
}

/** Shakes hands as a command does. @throws {StepFailure} of `authentication`, `pairing` or `scope` */
export async function shakeHands(
  trail: Trail,
  { isWithoutCredential, scopes, way }: HandshakeLink,
): Promise<Taken<GatewayClient>> {
  const { context, gateway, budget, interruption } = trail;
  if (isWithoutCredential) {
    throw fault("CREDENTIALS_REQUIRED", "a URL that is typed needs a credential that is typed.", {
      at: "authentication",
      evidence: { urlSource: gateway.target.urlSource },
      fix: context.commandLine(`doctor connect ${gateway.target.url} --token <token>`),
      hint: "Those of the config and the environment are for the configured Gateway alone; nothing was sent.",
    });
  }
  const stored = await storedDeviceToken(context, gateway.target);
  if (stored !== undefined) trail.hide(stored);
  try {
    const client = await connect(
      context,
      gateway,
      { scopes },
      budget.step(HANDSHAKE_SHARE_MS),
      way,
      interruption.signal,
    );
    const granted = client.hello?.auth?.scopes ?? [];
    const lacking = scopes.filter((scope) => !covers(granted, scope));
    if (lacking.length > 0) {
      await client.close();
      throw missingScope(context, { missing: lacking, granted });
    }
    return { value: client, detail: howAuthenticated(trail, stored !== undefined) };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    throw explainHandshake(trail, error, stored);
  }
}

/** Admin may all, and whoever may write may read. */
function covers(granted: readonly string[], scope: string): boolean {
  if (granted.includes("operator.admin") || granted.includes(scope)) return true;
  return scope === "operator.read" && granted.includes("operator.write");
}

function howAuthenticated({ gateway }: Trail, hadToken: boolean): string | undefined {
  const { sources } = gateway.credentials;
  const used = sources.token ?? sources.password;
  if (used !== undefined) return `with the secret of ${used}`;
  return hadToken ? "with this device's token" : undefined;
}

/** The token that this Gateway gave to this device; it is presented where no secret is known. */
async function storedDeviceToken(
  context: CommandContext,
  { url, endpointKey }: GatewayTarget,
): Promise<string | undefined> {
  const files = stateFiles(context.paths.stateDir);
  if (!existsSync(files.deviceIdentity)) return undefined;
  try {
    const { deviceId } = await loadOrCreateDeviceIdentity(files.deviceIdentity);
    const { checkGatewayUrl } = await import("@openclaw/client");
    const checked = checkGatewayUrl(url, { allowInsecure: true });
    const endpoint = endpointKey ?? (checked.ok ? checked.address.endpoint : url);
    const key = { endpoint, role: "operator", deviceId };
    return (await fileTokenStore(files.deviceTokens).get(key))?.token;
  } catch {
    // The handshake tells what is wrong with the files.
    return undefined;
  }
}

interface Refusal {
  readonly error: GatewayError;
  readonly details: Readonly<Record<string, unknown>>;
  /** Text of the Gateway. */
  readonly said: string;
  readonly hadDeviceToken: boolean;
}

function explainHandshake(
  trail: Trail,
  error: GatewayError,
  stored: string | undefined,
): StepFailure {
  const refusal: Refusal = {
    error,
    details: isObject(error.details) ? error.details : {},
    said: safeText(error.message).replace(/^handshake with \S+ rejected: /u, ""),
    hadDeviceToken: stored !== undefined,
  };
  switch (error.code) {
    case "AUTH_FAILED":
      return authFault(trail, refusal);
    case "PAIRING_REQUIRED":
      return pairingFault(trail, refusal);
    case "PROTOCOL_MISMATCH": {
      const { expectedProtocol, clientMinProtocol, clientMaxProtocol } = refusal.details;
      return fault("PROTOCOL_MISMATCH", "the two sides share no version of the protocol.", {
        at: "authentication",
        evidence: { here: "3 and 4", expectedProtocol, clientMinProtocol, clientMaxProtocol },
        fix: "npm install -g @openclaw/cli@latest",
        hint: "On the side that is older.",
        cause: error,
      });
    }
    case "CONNECT_TIMEOUT":
      return fault(
        "HANDSHAKE_NO_ANSWER",
        "the Gateway greets, and does not answer the handshake.",
        {
          at: "authentication",
          evidence: { said: refusal.said },
          fix: "openclaw gateway restart",
          hint: "On the Gateway's machine: it is overloaded, or hangs.",
          cause: error,
        },
      );
    default:
      return rejected(trail, refusal);
  }
}

function rejected({ context }: Trail, { error, details, said }: Refusal): StepFailure {
  const isRestarting =
    details["phase"] === "draining" || details["reason"] === "gateway-restarting";
  const evidence = {
    gatewayCode: error.code,
    closeCode: error.closeCode,
    retryAfterMs: error.retryAfterMs,
    said,
    cause: error.cause instanceof Error ? safeText(error.cause.message) : undefined,
  };
  if (isRestarting) {
    return fault("GATEWAY_DRAINING", "the Gateway is stopping or starting.", {
      at: "authentication",
      evidence,
      fix: "openclaw gateway status",
      hint: "On the Gateway's machine, in a moment.",
      cause: error,
    });
  }
  // What the steps before have found right may be another thing the next time.
  const code = CONNECT_FAULTS.find((known) => known === error.code) ?? "HANDSHAKE_REJECTED";
  return fault(code, `the Gateway ends the handshake: ${said}`, {
    at: "authentication",
    evidence,
    fix: error.code.startsWith("IDENTITY") ? context.commandLine("doctor") : "openclaw logs",
    hint: error.hint ?? "On the Gateway's machine: its log names the reason.",
    cause: error,
  });
}

function authFault(trail: Trail, refusal: Refusal): StepFailure {
  const { error, details, said, hadDeviceToken } = refusal;
  const { context, gateway } = trail;
  const { token, password, sources } = gateway.credentials;
  const detailCode = typeof details["code"] === "string" ? details["code"] : "";
  const source = sources.token ?? sources.password;
  const evidence = { detailCode, authReason: details["authReason"], source };
  const at = "authentication" as const;
  const hasSecret = token !== undefined || password !== undefined;
  const match = /^AUTH_(TOKEN|PASSWORD)_(MISSING|MISMATCH)$/u.exec(detailCode);

  if (detailCode === "AUTH_RATE_LIMITED") {
    const { retryAfterMs } = error;
    return fault(
      "RATE_LIMITED",
      `the Gateway looks at no more guesses for now${retryAfterMs === undefined ? "" : `, for ${Math.ceil(retryAfterMs / 1_000)} s`}.`,
      {
        at,
        evidence: { ...evidence, retryAfterMs },
        fix: secretFix(trail, "token"),
        hint: "After that time. Wrong secrets were tried from here; the wait grows with each.",
        cause: error,
      },
    );
  }
  const isDeviceToken =
    detailCode === "AUTH_DEVICE_TOKEN_MISMATCH" || (hadDeviceToken && !hasSecret);
  if (isDeviceToken && (match?.[2] === "MISSING" || match === null)) {
    return fault(
      "DEVICE_TOKEN_REVOKED",
      "the Gateway does not take this device's token any more: it was revoked, or the device was removed.",
      {
        at,
        evidence,
        fix: secretFix(trail, match?.[1] === "PASSWORD" ? "password" : "token"),
        hint: `With the Gateway's secret this device asks to be let in again; then, on the Gateway's machine: ${context.commandLine("devices approve")}`,
        cause: error,
      },
    );
  }
  if (match !== null) {
    const [, kind, how] = match;
    const mode = kind === "TOKEN" ? "token" : "password";
    const isOtherField = mode === "token" ? token === undefined : password === undefined;
    if (how === "MISSING") {
      return fault(
        `${kind as "TOKEN" | "PASSWORD"}_MISSING`,
        `the Gateway wants its ${mode}, and none is known here.`,
        {
          at,
          evidence: { ...evidence, lookedAt: gateway.credentials.explain().split("\n") },
          fix: secretFix(trail, mode),
          hint: `It is gateway.auth.${mode} on the Gateway's machine.`,
          cause: error,
        },
      );
    }
    if (isOtherField) {
      const given = mode === "token" ? "password" : "token";
      return fault(
        "AUTH_MODE_MISMATCH",
        `the Gateway wants its ${mode}; it was given a ${given}, which is not that.`,
        {
          at,
          evidence: { ...evidence, gatewayMode: mode, given },
          fix: secretFix(trail, mode),
          hint: `gateway.auth.mode there is ${mode}; the ${given} came from ${source}.`,
          cause: error,
        },
      );
    }
    return fault(`${kind as "TOKEN" | "PASSWORD"}_MISMATCH`, `the ${mode} is not the Gateway's.`, {
      at,
      evidence,
      fix: mismatchFix(trail, mode),
      hint: `It came from ${source}; it has to be gateway.auth.${mode} of the Gateway's machine.`,
      cause: error,
    });
  }
  return fault("AUTH_REFUSED", `the Gateway does not let this device in: ${said}`, {
    at,
    evidence,
    fix: secretFix(trail, "token"),
    hint: error.hint,
    cause: error,
  });
}

/** What gives the Gateway's secret to this machine. */
function secretFix(trail: Trail, mode: "token" | "password"): string {
  const { context, gateway } = trail;
  const { target } = gateway;
  if (target.kind === "remote") {
    const place = target.via?.target ?? target.url;
    return context.commandLine(`remote set ${place} --${mode}-file <path>`);
  }
  if (target.kind === "local") return `export OPENCLAW_GATEWAY_${mode.toUpperCase()}=<${mode}>`;
  return `${goTo(trail, target.via?.target ?? target.url)} --${mode} <${mode}>`;
}

function mismatchFix(trail: Trail, mode: "token" | "password"): string {
  const { context, gateway } = trail;
  const source = gateway.credentials.sources[mode] ?? "";
  if (/^(OPENCLAW|CLAWDBOT|MOLTBOT)_/u.test(source)) return `unset ${source}`;
  // The Gateway has read the config before it was changed.
  if (source.startsWith("gateway.auth.")) return context.commandLine("gateway restart");
  return secretFix(trail, mode);
}

function pairingFault(trail: Trail, { error, details }: Refusal): StepFailure {
  const { context } = trail;
  const { reason, requestId, requestedScopes, approvedScopes, approvedRoles } = details;
  const approve = `openclaw devices approve ${typeof requestId === "string" && /^[\w-]+$/u.test(requestId) ? requestId : "<requestId>"}`;
  const evidence = { reason, requestId, deviceId: details["deviceId"] };
  const hint = "On the Gateway's machine, or wherever an operator is paired already.";
  if (reason === "scope-upgrade") {
    const granted = textsOf(approvedScopes);
    const asked = textsOf(requestedScopes);
    const missing = asked.filter((scope) => !covers(granted, scope));
    return missingScope(context, { missing, granted, approve, requestId });
  }
  if (reason === "metadata-upgrade") {
    return fault("DEVICE_CHANGED", "this device's key is known, of another kind of machine.", {
      at: "pairing",
      evidence,
      fix: approve,
      hint,
      cause: error,
    });
  }
  // What was granted once and is granted no more.
  if (reason === "role-upgrade" && Array.isArray(approvedScopes)) {
    return fault("DEVICE_REVOKED", "what this device was allowed has been revoked.", {
      at: "pairing",
      evidence: { ...evidence, approvedRoles },
      fix: approve,
      hint: `${hint} Only if whoever revoked it agrees.`,
      cause: error,
    });
  }
  return fault("NOT_PAIRED", "the Gateway does not know this device yet.", {
    at: "pairing",
    evidence: { ...evidence, approvedRoles },
    fix: approve,
    hint,
    cause: error,
  });
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}
