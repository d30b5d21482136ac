import { readEnv, type Env, type OpenClawVariable } from "./env.ts";
import type { GatewayTargetKind } from "./gateway-target.ts";
import { textAt } from "./json.ts";
import { unresolvedAt, type UnresolvedReference } from "./substitute.ts";

/** The two secrets a client may present. */
export type CredentialField = "token" | "password";

/** Who asks: an operator's command, or a node. */
export type CredentialCaller = "operator" | "node";

/** Options of {@link resolveCredentials}. */
export interface CredentialsOptions {
  flags?: {
    /** `--token` */
    token?: string | undefined;
    /** `--password` */
    password?: string | undefined;
  };
  env: Env;
  /** Config of any reader; values of the wrong type count as unset. */
  config: object;
  /** What `resolveGatewayTarget` chose. Nothing of this machine's own goes through `via`. */
  target: { kind: GatewayTargetKind; via?: unknown };
  /** @default "operator" */
  caller?: CredentialCaller;
  /** The secret that a Gateway of this machine made for its run, where the caller has found one. */
  runToken?: string | undefined;
  /** Variables without a value, as the reader reported them. */
  unresolved?: readonly UnresolvedReference[];
  /** For messages. */
  configPath?: string;
}

/** What to present to a Gateway. A paired device token, which the client stores, comes on top. */
export interface Credentials {
  token?: string;
  password?: string;
  /** Where each came from: `--token`, a variable's name, a dotted path, or words for a run token. */
  sources: { token?: string; password?: string };
  /** Where a credential could come from here and what was found, line by line, without secrets. */
  explain(): string;
}

/** How the secret is called that a Gateway of this machine made for its run. */
export const RUN_TOKEN_SOURCE = "the local Gateway's run token";

/** `--url` was given without credentials of its own. */
export class GatewayCredentialsError extends Error {
  override readonly name: string = "GatewayCredentialsError";
  /** Error type in JSON output. */
  readonly type = "gateway_credentials_required";
  /** One sentence that tells the user what to do next. */
  readonly hint: string;
  readonly configPath: string | undefined;

  constructor(configPath: string | undefined) {
    super(
      "a URL override needs explicit credentials: --url never uses those of the config or the environment.",
    );
    this.hint = "Pass --token or --password, or drop --url to use the configured target.";
    this.configPath = configPath;
  }
}

/** A place that may hold a secret. */
type Source =
  | { from: "flag"; name: `--${CredentialField}` }
  | { from: "env"; name: OpenClawVariable }
  | {
      from: "config";
      name: `gateway.${string}`;
      /** Asked only when this machine has no secret of its own. */
      onlyWithoutLocalSecret?: true;
    }
  | { from: "run"; name: typeof RUN_TOKEN_SOURCE; onlyWithoutLocalSecret: true };

type Row = Readonly<Record<CredentialField, readonly Source[]>>;

const ENV: Readonly<Record<CredentialField, Source>> = {
  token: { from: "env", name: "OPENCLAW_GATEWAY_TOKEN" },
  password: { from: "env", name: "OPENCLAW_GATEWAY_PASSWORD" },
};
const AUTH_TOKEN: Source = { from: "config", name: "gateway.auth.token" };
const AUTH_PASSWORD: Source = { from: "config", name: "gateway.auth.password" };
const REMOTE_TOKEN = { from: "config", name: "gateway.remote.token" } as const;
const REMOTE_PASSWORD: Source = { from: "config", name: "gateway.remote.password" };
// A Gateway makes one only when it was started without a secret.
const RUN_TOKEN: Source = { from: "run", name: RUN_TOKEN_SOURCE, onlyWithoutLocalSecret: true };

const LOCAL: Row = {
  token: [AUTH_TOKEN, ENV.token, RUN_TOKEN, { ...REMOTE_TOKEN, onlyWithoutLocalSecret: true }],
  password: [AUTH_PASSWORD, ENV.password],
};
const LOCAL_NODE: Row = {
  token: [ENV.token, AUTH_TOKEN, RUN_TOKEN],
  password: [ENV.password, AUTH_PASSWORD],
};
const ENV_ONLY: Row = { token: [ENV.token], password: [ENV.password] };
const NOTHING: Row = { token: [], password: [] };

/** The one table: what may be asked, in order, for each kind of target. Flags come before it. */
const TABLE: Readonly<Record<CredentialCaller, Readonly<Record<GatewayTargetKind, Row>>>> = {
  operator: {
    "url-flag": NOTHING,
    "env-url": ENV_ONLY,
    // --port means this machine, also where the config names a remote Gateway.
    "port-flag": LOCAL,
    local: LOCAL,
    remote: {
      token: [REMOTE_TOKEN, ENV.token],
      password: [ENV.password, REMOTE_PASSWORD],
    },
  },
  node: {
    "url-flag": ENV_ONLY,
    "env-url": ENV_ONLY,
    "port-flag": LOCAL_NODE,
    local: LOCAL_NODE,
    remote: {
      token: [ENV.token, REMOTE_TOKEN],
      password: [ENV.password, REMOTE_PASSWORD],
    },
  },
};

/** What is left of the table when the Gateway is on the far side of a tunnel. */
const FOREIGN: typeof TABLE = {
  operator: { ...TABLE.operator, "port-flag": NOTHING, local: NOTHING },
  node: { ...TABLE.node, "port-flag": NOTHING, local: NOTHING },
};

/**
 * Chooses the credentials for a target. A flag wins alone: when either is given, nothing else is
 * asked. A secret that is meant for one Gateway is never sent to another.
 *
 * @throws {@link GatewayCredentialsError} when an operator's `--url` comes without credentials.
 */
export function resolveCredentials(options: CredentialsOptions): Credentials {
  const { flags = {}, caller = "operator", target, configPath } = options;
  const row = target.via === undefined ? TABLE[caller][target.kind] : FOREIGN[caller][target.kind];
  const flagRow: Row = {
    token: [{ from: "flag", name: "--token" }],
    password: [{ from: "flag", name: "--password" }],
  };
  const hasFlag = isGiven(flags.token) || isGiven(flags.password);
  if (caller === "operator" && target.kind === "url-flag" && !hasFlag) {
    throw new GatewayCredentialsError(configPath);
  }
  const used = hasFlag ? flagRow : row;
  const sources: { token?: string; password?: string } = {};
  const secrets: { token?: string; password?: string } = {};
  for (const field of ["token", "password"] as const) {
    const found = firstOf(used[field], options);
    if (found === undefined) continue;
    secrets[field] = found.value;
    sources[field] = found.name;
  }
  const explain = () =>
    (["token", "password"] as const)
      .flatMap((field) => [...flagRow[field], ...row[field]])
      .map((source) => `${source.name}: ${describe(source, options)}`)
      .join("\n");
  return { ...secrets, sources, explain };
}

function firstOf(
  candidates: readonly Source[],
  options: CredentialsOptions,
): { value: string; name: string } | undefined {
  for (const source of candidates) {
    const isLastResort = "onlyWithoutLocalSecret" in source;
    if (isLastResort && hasLocalSecret(options)) continue;
    const found = read(source, options);
    if (found !== undefined) return found;
  }
  return undefined;
}

function read(
  source: Source,
  { flags = {}, env, config, runToken }: CredentialsOptions,
): { value: string; name: string } | undefined {
  switch (source.from) {
    case "flag": {
      const value = source.name === "--token" ? flags.token : flags.password;
      return isGiven(value) ? { value, name: source.name } : undefined;
    }
    case "env":
      return readEnv(env, source.name);
    case "config": {
      const value = textAt(config, source.name);
      return value === undefined ? undefined : { value, name: source.name };
    }
    case "run":
      return isGiven(runToken) ? { value: runToken, name: source.name } : undefined;
  }
}

function hasLocalSecret(options: CredentialsOptions): boolean {
  return [AUTH_TOKEN, AUTH_PASSWORD, ENV.token, ENV.password].some(
    (source) => read(source, options) !== undefined,
  );
}

function describe(source: Source, options: CredentialsOptions): string {
  const reference = unresolvedAt(options.unresolved, source.name);
  if (reference !== undefined) return `refers to \${${reference.name}}, which is not set`;
  return read(source, options) === undefined ? "not set" : "set";
}

function isGiven(value: string | undefined): value is string {
  return value !== undefined && value !== "";
}
