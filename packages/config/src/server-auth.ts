import { readEnv, type Env } from "./env.ts";
import { textAt, valueAt } from "./json.ts";
import { nodeCrypto } from "./node-crypto.ts";
import { unresolvedAt, type UnresolvedReference } from "./substitute.ts";

/** How a Gateway recognises its clients. */
export type ServerAuthMode = "token" | "password" | "none" | "trusted-proxy";

/** Options of {@link resolveServerAuth}. */
export interface ServerAuthOptions {
  flags?: {
    /** `--auth`, as typed. */
    auth?: string | undefined;
    token?: string | undefined;
    password?: string | undefined;
    /** `--bind`, as typed. */
    bind?: string | undefined;
  };
  env: Env;
  /** A validated config. */
  config: object;
  /** Variables without a value: a secret that refers to one is refused, not replaced. */
  unresolved: readonly UnresolvedReference[];
  /** Makes the token of a run that has none. @default 32 random bytes, base64url */
  randomToken?: () => string;
}

/** What a Gateway asks of its clients. Has exactly the secret that its mode needs. */
export type ServerAuth =
  | { mode: "token"; token: string }
  | { mode: "password"; password: string }
  | { mode: "none" }
  | TrustedProxyAuth;

/** A proxy says who its users are; whoever comes from this machine itself may use the password. */
export interface TrustedProxyAuth {
  mode: "trusted-proxy";
  /** Header in which the proxy names the user. */
  userHeader: string;
  requiredHeaders?: string[];
  allowUsers?: string[];
  allowLoopback?: boolean;
  password?: string;
}

/** Number of a refusal in the documentation of `gateway run`. */
export type RefusalId = "R5" | "R6" | "R7" | "R8" | "trusted-proxy";

/** Why a Gateway does not start. */
export interface ServerRefusal {
  id: RefusalId;
  /** Key that is wrong or missing. */
  key: string;
  message: string;
  /** The cure. */
  hint: string;
  /** 78 (`EX_CONFIG`), or 1 for a flag that is not understood. */
  exitCode: 1 | 78;
}

/** The decision. */
export type ServerAuthResult =
  | {
      ok: true;
      auth: ServerAuth;
      /** Where the secret came from: a flag, a variable, a dotted path, or `generated`. */
      source: string | undefined;
      warnings: string[];
    }
  | { ok: false; refusal: ServerRefusal };

interface Secret {
  value: string;
  source: string;
}

const MODES = ["token", "password", "none", "trusted-proxy"] as const;
const SET_TOKEN =
  "Set gateway.auth.token or OPENCLAW_GATEWAY_TOKEN, or gateway.auth.password or OPENCLAW_GATEWAY_PASSWORD.";

/**
 * Decides how a Gateway authenticates: flags over config over environment. `gateway.remote.*` is
 * never a source. On loopback a missing token is replaced by a random one for this run, which is
 * not written anywhere; elsewhere it is refused.
 */
export function resolveServerAuth(options: ServerAuthOptions): ServerAuthResult {
  const { flags = {}, config } = options;
  const token = secret("token", options);
  const password = secret("password", options);
  const asked = flags.auth ?? textAt(config, "gateway.auth.mode");
  if (asked !== undefined && !isMode(asked))
    return refuse(unknownMode(asked, flags.auth !== undefined));

  const mode = asked ?? impliedMode(options, password);
  const bind = flags.bind ?? textAt(config, "gateway.bind") ?? "loopback";
  if (mode === "trusted-proxy") return trustedProxy(config, password);
  const missing =
    mode === "none" ? undefined : unresolvedSecret(mode, { token, password }, options);
  if (missing !== undefined) return refuse(missing);
  // Judged on the configured mode, so that "auto" is refused too.
  if (bind !== "loopback" && (mode === "none" || (token === undefined && password === undefined))) {
    return refuse(openBind(bind, mode));
  }

  if (mode === "none") {
    const warnings = ["gateway.auth.mode is none: every program on this machine is let in."];
    return { ok: true, auth: { mode }, source: undefined, warnings };
  }
  if (mode === "password") {
    if (password === undefined) return refuse(missingPassword());
    const auth = { mode, password: password.value };
    return {
      ok: true,
      auth,
      source: password.source,
      warnings: unused("token", mode, flags.token),
    };
  }
  if (token !== undefined) {
    const auth = { mode, token: token.value };
    return {
      ok: true,
      auth,
      source: token.source,
      warnings: unused("password", mode, flags.password),
    };
  }
  if (bind !== "loopback") return refuse(missingToken(config));
  return generatedToken(options);
}

/** Flag, config, environment. A reference without a value is not skipped: `unresolvedSecret`. */
function secret(
  field: "token" | "password",
  { flags = {}, env, config, unresolved }: ServerAuthOptions,
): Secret | undefined {
  const flag = flags[field];
  if (flag !== undefined && flag !== "") return { value: flag, source: `--${field}` };
  const path = `gateway.auth.${field}`;
  if (unresolvedAt(unresolved, path) !== undefined) return undefined;
  const fromConfig = textAt(config, path);
  if (fromConfig !== undefined) return { value: fromConfig, source: path };
  const variable = readEnv(
    env,
    field === "token" ? "OPENCLAW_GATEWAY_TOKEN" : "OPENCLAW_GATEWAY_PASSWORD",
  );
  return variable === undefined ? undefined : { value: variable.value, source: variable.name };
}

function impliedMode(
  { flags = {}, unresolved }: ServerAuthOptions,
  password: Secret | undefined,
): ServerAuthMode {
  // A secret on the command line says which mode is meant, whatever else is lying around.
  if (password?.source !== "--password" && flags.token !== undefined && flags.token !== "")
    return "token";
  const isMeant = unresolvedAt(unresolved, "gateway.auth.password") !== undefined;
  return password !== undefined || isMeant ? "password" : "token";
}

function unresolvedSecret(
  mode: "token" | "password",
  secrets: Record<"token" | "password", Secret | undefined>,
  { unresolved }: ServerAuthOptions,
): ServerRefusal | undefined {
  const key = `gateway.auth.${mode}`;
  const reference = unresolvedAt(unresolved, key);
  if (reference === undefined || secrets[mode] !== undefined) return undefined;
  return {
    id: mode === "token" ? "R6" : "R7",
    key,
    message: `${key} refers to \${${reference.name}}, which is not set.`,
    hint: `Set the environment variable ${reference.name}, or write the ${mode} into ${key}.`,
    exitCode: 78,
  };
}

function generatedToken({
  config,
  randomToken = createToken,
}: ServerAuthOptions): ServerAuthResult {
  const warnings = [
    "no token is configured: this run uses a random one. Set gateway.auth.token or OPENCLAW_GATEWAY_TOKEN to keep one.",
    ...misplacedSecrets(config),
  ];
  return { ok: true, auth: { mode: "token", token: randomToken() }, source: "generated", warnings };
}

function missingToken(config: object): ServerRefusal {
  return {
    id: "R6",
    key: "gateway.auth.token",
    message: "auth mode is token, and there is no token.",
    hint: [
      "Set gateway.auth.token or OPENCLAW_GATEWAY_TOKEN, or pass --token.",
      ...misplacedSecrets(config),
    ].join(" "),
    exitCode: 78,
  };
}

function missingPassword(): ServerRefusal {
  return {
    id: "R7",
    key: "gateway.auth.password",
    message: "auth mode is password, and there is no password.",
    hint: "Set OPENCLAW_GATEWAY_PASSWORD or gateway.auth.password, or pass --password.",
    exitCode: 78,
  };
}

/** The proxies are the proof here, so without them nobody could be believed. */
function trustedProxy(config: object, password: Secret | undefined): ServerAuthResult {
  const listed = valueAt(config, "gateway.trustedProxies");
  if (!Array.isArray(listed) || listed.length === 0) {
    return refuse({
      id: "trusted-proxy",
      key: "gateway.trustedProxies",
      message: "gateway.auth.mode is trusted-proxy, and gateway.trustedProxies lists no proxy.",
      hint: "List the addresses or CIDR ranges of your proxies there, or choose another auth mode.",
      exitCode: 78,
    });
  }
  const userHeader = textAt(config, "gateway.auth.trustedProxy.userHeader");
  if (userHeader === undefined) {
    return refuse({
      id: "trusted-proxy",
      key: "gateway.auth.trustedProxy.userHeader",
      message:
        "gateway.auth.mode is trusted-proxy, and gateway.auth.trustedProxy.userHeader is not set.",
      hint: "Name the header in which your proxy tells the user, such as x-forwarded-user.",
      exitCode: 78,
    });
  }
  const requiredHeaders = textsAt(config, "gateway.auth.trustedProxy.requiredHeaders");
  const allowUsers = textsAt(config, "gateway.auth.trustedProxy.allowUsers");
  const auth: TrustedProxyAuth = {
    mode: "trusted-proxy",
    userHeader,
    ...(requiredHeaders === undefined ? {} : { requiredHeaders }),
    ...(allowUsers === undefined ? {} : { allowUsers }),
    allowLoopback: valueAt(config, "gateway.auth.trustedProxy.allowLoopback") === true,
    ...(password === undefined ? {} : { password: password.value }),
  };
  const warnings =
    allowUsers === undefined
      ? ["gateway.auth.trustedProxy.allowUsers is not set: every user of the proxy is let in."]
      : [];
  return { ok: true, auth, source: "gateway.auth.trustedProxy", warnings };
}

function textsAt(config: object, path: string): string[] | undefined {
  const value = valueAt(config, path);
  return Array.isArray(value) ? value.filter((entry) => typeof entry === "string") : undefined;
}

function openBind(bind: string, mode: ServerAuthMode): ServerRefusal {
  const reason = mode === "none" ? "auth mode is none" : "there is no token and no password";
  return {
    id: "R8",
    key: "gateway.bind",
    message: `refusing to bind ${JSON.stringify(bind)}: ${reason}.`,
    hint: `${SET_TOKEN} Or set gateway.bind to loopback.`,
    exitCode: 78,
  };
}

function unknownMode(asked: string, isFlag: boolean): ServerRefusal {
  const allowed = MODES.map((mode) => JSON.stringify(mode)).join(", ");
  const key = isFlag ? "--auth" : "gateway.auth.mode";
  return {
    id: "R5",
    key,
    message: `${key} is ${JSON.stringify(asked)}, which this Gateway does not support.`,
    hint: `Allowed: ${allowed}.`,
    exitCode: isFlag ? 1 : 78,
  };
}

function misplacedSecrets(config: object): string[] {
  return valueAt(config, "gateway.remote.token") === undefined
    ? []
    : ["gateway.remote.token is for clients and does not set the token of this Gateway."];
}

function unused(
  field: "token" | "password",
  mode: ServerAuthMode,
  flag: string | undefined,
): string[] {
  return flag === undefined || flag === ""
    ? []
    : [`--${field} is not used: the auth mode is ${mode}. Pass --auth ${field} to change that.`];
}

function isMode(text: string): text is ServerAuthMode {
  return MODES.some((mode) => mode === text);
}

function refuse(refusal: ServerRefusal): ServerAuthResult {
  return { ok: false, refusal };
}

function createToken(): string {
  return nodeCrypto().randomBytes(32).toString("base64url");
}
