import { configProblems } from "@openclaw/app-kit";
import {
  ConfigError,
  type ConfigIssue,
  type Env,
  type LoadedConfig,
  type Paths,
  readEnv,
  resolveGatewayPort,
  resolveServerAuth,
  type ServerAuth,
} from "@openclaw/config";
import { type BindInput, type BindPlan, chooseBind } from "./choose-bind.ts";
import { chooseTailscale, type TailscalePlan } from "./choose-tailscale.ts";
import { CONFIG_EXIT, type StartRefusal } from "./start-refusal.ts";

/** Flags of `gateway run`, as typed. */
export interface GatewayRunFlags {
  port?: string | undefined;
  bind?: string | undefined;
  auth?: string | undefined;
  token?: string | undefined;
  password?: string | undefined;
  passwordFile?: string | undefined;
  tailscale?: string | undefined;
  tailscaleResetOnExit?: boolean | undefined;
  allowUnconfigured?: boolean | undefined;
  verbose?: boolean | undefined;
  /** Make a config for development where there is none. */
  dev?: boolean | undefined;
  /** With `dev`: put the former one aside first, and its state. */
  reset?: boolean | undefined;
  /** End whoever holds the port. */
  force?: boolean | undefined;
  /** `auto`, `full` or `compact`. */
  wsLog?: string | undefined;
  compact?: boolean | undefined;
  rawStream?: boolean | undefined;
  rawStreamPath?: string | undefined;
  claudeCliLogs?: boolean | undefined;
  ambientChannels?: boolean | undefined;
}

/** The ledger's part of the plan. */
export interface LedgerPlan {
  durability?: "process" | "power";
  retentionMs?: number;
  maxEntries?: number;
  maxBytes?: number;
}

/** The certificate's part of the plan. */
export interface TlsPlan {
  /** Make a certificate where there is none. */
  autoGenerate: boolean;
}

/** How a Gateway is going to start. */
export interface StartPlan extends Omit<BindPlan, "warnings"> {
  bind: string;
  port: number;
  auth: ServerAuth;
  /** The secret was made for this run only. */
  isRunOnlySecret: boolean;
  /** Absent: plain HTTP. */
  tls?: TlsPlan;
  tailscale: TailscalePlan;
  trustedProxies: readonly string[];
  allowRealIpFallback: boolean;
  /** A page may connect to the name that it was loaded from, whatever that is. */
  allowHostHeaderOrigin: boolean;
  /** Header of answers over TLS. */
  strictTransportSecurity?: string;
  /** Limits of guessing; what is absent has the Gateway's default. */
  rateLimit: RateLimitPlan;
  commands: { allow: readonly string[]; deny: readonly string[] };
  autoApproveLocal: boolean;
  allowedOrigins: readonly string[];
  /** Names that browsers may ask for this Gateway by, besides those that it knows itself. */
  allowedHosts: readonly string[];
  /** How long results are kept; what is absent has the default of the store. */
  ledger: LedgerPlan;
  warnings: readonly string[];
}

/** `gateway.auth.rateLimit`. */
export interface RateLimitPlan {
  maxAttempts?: number;
  windowMs?: number;
  lockoutMs?: number;
  exemptLoopback?: boolean;
}

export type StartDecision = { ok: true; plan: StartPlan } | { ok: false; refusal: StartRefusal };

export interface StartInput {
  flags: GatewayRunFlags;
  env: Env;
  paths: Pick<Paths, "configPath">;
  loaded: LoadedConfig;
  /** The program's name in hints, for example `openclaw gateway run`. */
  command: string;
  /** Addresses of this machine in its tailnet. */
  tailnet: BindInput["tailnet"];
}

/** Decides whether and how to start, from flags, environment and config. Touches nothing. */
export function planStart(input: StartInput): StartDecision {
  const { flags, loaded } = input;
  if (!loaded.ok) return refuse(invalidConfig(input, loaded.path, loaded.issues));
  const gateway = loaded.config.gateway ?? {};
  const unstarted = refuseUnconfigured(input, loaded.exists, gateway.mode);
  if (unstarted !== undefined) return refuse(unstarted);

  const port = choosePort(input, loaded);
  if (typeof port !== "number") return refuse(port);
  const bind = flags.bind ?? gateway.bind ?? "loopback";
  const chosen = chooseBind({
    bind,
    isFlag: flags.bind !== undefined,
    customBindHost: gateway.customBindHost,
    tailnet: input.tailnet,
  });
  if ("message" in chosen) return refuse(chosen);
  const { warnings: bindWarnings, ...listening } = chosen;

  const decision = resolveServerAuth({
    flags: { auth: flags.auth, token: flags.token, password: flags.password, bind },
    env: loaded.env,
    config: loaded.config,
    unresolved: loaded.unresolved,
  });
  if (!decision.ok) {
    const { id, message, hint, exitCode } = decision.refusal;
    return refuse({ id, message, hints: [hint], exitCode });
  }
  const hsts = gateway.http?.securityHeaders?.strictTransportSecurity;
  const tailscale = chooseTailscale({
    flag: flags.tailscale,
    resetFlag: flags.tailscaleResetOnExit === true,
    gateway,
    auth: decision.auth,
    bind,
    hosts: listening.hosts,
  });
  if ("message" in tailscale) return refuse(tailscale);
  return {
    ok: true,
    plan: {
      ...listening,
      bind,
      port,
      auth: decision.auth,
      isRunOnlySecret: decision.source === "generated",
      ...(gateway.tls?.enabled === true
        ? { tls: { autoGenerate: gateway.tls.autoGenerate ?? true } }
        : {}),
      tailscale,
      trustedProxies: gateway.trustedProxies ?? [],
      allowRealIpFallback: gateway.allowRealIpFallback ?? false,
      allowHostHeaderOrigin: gateway.controlUi?.dangerouslyAllowHostHeaderOriginFallback ?? false,
      ...(typeof hsts === "string" ? { strictTransportSecurity: hsts } : {}),
      rateLimit: withoutAbsent<RateLimitPlan>(gateway.auth?.rateLimit ?? {}),
      // Both generations of the names are accepted, so both are obeyed.
      commands: {
        allow: [...(gateway.nodes?.commands?.allow ?? []), ...(gateway.nodes?.allowCommands ?? [])],
        deny: [...(gateway.nodes?.commands?.deny ?? []), ...(gateway.nodes?.denyCommands ?? [])],
      },
      autoApproveLocal: gateway.nodes?.pairing?.autoApproveLocal ?? true,
      allowedOrigins: gateway.controlUi?.allowedOrigins ?? [],
      allowedHosts: gateway.allowedHosts ?? [],
      ledger: withoutAbsent<LedgerPlan>(gateway.ledger ?? {}),
      warnings: [
        ...loaded.warnings,
        ...decision.warnings,
        ...bindWarnings,
        ...ignoredPort(input, loaded),
      ],
    },
  };
}

function invalidConfig(
  { command }: StartInput,
  path: string,
  issues: readonly ConfigIssue[],
): StartRefusal {
  return {
    id: "config",
    message: `the config file is invalid: ${path}`,
    hints: [
      ...configProblems(issues),
      `Mend what can be mended: ${programOf(command)} doctor --fix`,
    ],
    exitCode: CONFIG_EXIT,
  };
}

/** The daemon has no other commands; the program that has them goes by this name. */
function programOf(command: string): string {
  return command.endsWith(" gateway run") ? command.slice(0, -" gateway run".length) : "openclaw";
}

function refuseUnconfigured(
  { flags, paths, command }: StartInput,
  exists: boolean,
  mode: string | undefined,
): StartRefusal | undefined {
  if (flags.allowUnconfigured === true) return undefined;
  // Someone who passes a secret here has said all that a config file would be needed for.
  const isConfiguredByFlags =
    isGiven(flags.token) ||
    isGiven(flags.password) ||
    isGiven(flags.passwordFile) ||
    flags.auth === "none";
  if (!exists && isConfiguredByFlags) return undefined;
  if (!exists) {
    return {
      id: "R1",
      message: `there is no config file (looked for ${paths.configPath})`,
      hints: [
        `Give the Gateway its secret here: ${command} --token <token>`,
        `or start it without a config file: ${command} --allow-unconfigured`,
        `or answer some questions: ${programOf(command)} onboard`,
        `or write the file: {"gateway":{"mode":"local","auth":{"token":"<token>"}}}`,
      ],
      exitCode: CONFIG_EXIT,
    };
  }
  if (mode === "local") return undefined;
  return {
    id: "R2",
    message: `gateway.mode is ${mode ?? "not set"} in ${paths.configPath}, so this machine is not to run a Gateway`,
    hints: [
      `Set gateway.mode to local in that file (${programOf(command)} config set gateway.mode local), or start once with ${command} --allow-unconfigured`,
    ],
    exitCode: CONFIG_EXIT,
  };
}

function choosePort(
  { flags }: StartInput,
  loaded: LoadedConfig & { ok: true },
): number | StartRefusal {
  // 0 means any free port; no config or environment may ask for that, since nobody would find it.
  if (flags.port === "0") return 0;
  try {
    return resolveGatewayPort({ flag: flags.port, env: loaded.env, config: loaded.config }).port;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return {
      id: "R3",
      message: error.message,
      hints: ["0 takes any free port."],
      exitCode: CONFIG_EXIT,
    };
  }
}

/** A variable that is no port is not used; whoever has set it expects otherwise. */
function ignoredPort({ flags }: StartInput, loaded: LoadedConfig & { ok: true }): string[] {
  const variable = readEnv(loaded.env, "OPENCLAW_GATEWAY_PORT");
  if (flags.port !== undefined || variable === undefined) return [];
  const { source } = resolveGatewayPort({ env: loaded.env, config: loaded.config });
  if (source === variable.name) return [];
  return [`${variable.name} is ignored: ${JSON.stringify(variable.value)} is no port (1 to 65535)`];
}

function withoutAbsent<T extends object>(part: { [K in keyof T]: T[K] | undefined }): T {
  // Only members without a value are dropped, so the others keep their types.
  return Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined)) as T;
}

function isGiven(value: string | undefined): boolean {
  return value !== undefined && value !== "";
}

function refuse(refusal: StartRefusal): StartDecision {
  return { ok: false, refusal };
}
