import { type Env, type JsonObject, readEnv } from "@openclaw/config";
import { at, textAt } from "../audit-facts.ts";

/** What a Gateway would ask of its clients, going by config and environment. */
export interface ActiveSecrets {
  readonly mode: string;
  readonly token: string | undefined;
  readonly password: string | undefined;
}

/** The same choice as a starting Gateway makes. */
export function activeSecrets(config: JsonObject, env: Env): ActiveSecrets {
  const token =
    textAt(config, "gateway.auth.token") ?? readEnv(env, "OPENCLAW_GATEWAY_TOKEN")?.value;
  const password =
    textAt(config, "gateway.auth.password") ?? readEnv(env, "OPENCLAW_GATEWAY_PASSWORD")?.value;
  const mode =
    textAt(config, "gateway.auth.mode") ?? (password === undefined ? "token" : "password");
  return {
    mode,
    token: mode === "token" ? token : undefined,
    password: mode === "password" ? password : undefined,
  };
}

export function bindOf(config: JsonObject): string {
  return textAt(config, "gateway.bind") ?? "loopback";
}

/** Somebody beyond this machine can reach the port. */
export function isExposed(config: JsonObject): boolean {
  return bindOf(config) !== "loopback" || textAt(config, "gateway.tailscale.mode") === "funnel";
}

export function isUiOn(config: JsonObject): boolean {
  return at(config, "gateway.controlUi.enabled") !== false;
}
