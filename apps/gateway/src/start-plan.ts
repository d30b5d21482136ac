import { configProblems } from "@openclaw/app-kit";
import {
  ConfigError,
  type ConfigIssue,
  type Env,
  type LoadedConfig,
  type OpenClawConfig,
  type Paths,
  resolveGatewayPort,
  resolveServerAuth,
  type ServerAuth,
} from "@openclaw/config";

/** Flags of `gateway run`, as typed. */
export interface GatewayRunFlags {
  port?: string | undefined;
  bind?: string | undefined;
  auth?: string | undefined;
  token?: string | undefined;
  password?: string | undefined;
  passwordFile?: string | undefined;
  tailscale?: string | undefined;
  allowUnconfigured?: boolean | undefined;
  verbose?: boolean | undefined;
}

/** Why a Gateway does not start, what to do, and how the process ends. */
export interface StartRefusal {
  /** Number of the refusal in the documentation, where it has one. */
  id: string;
  message: string;
  hints: readonly string[];
  /** 78 (`EX_CONFIG`) when configuration is in the way, so that a supervisor does not try again. */
  exitCode: 1 | 78;
}

/** The ledger's part of the plan. */
export interface LedgerPlan {
  durability?: "process" | "power";
  retentionMs?: number;
  maxEntries?: number;
  maxBytes?: number;
}

/** How a Gateway is going to start. */
export interface StartPlan {
  /** Addresses to listen on; every one of them, or the start fails. */
  hosts: readonly string[];
  /** Addresses to listen on where the machine has them. */
  optionalHosts: readonly string[];
  bind: string;
  port: number;
  auth: ServerAuth;
  /** The secret was made for this run only. */
  isRunOnlySecret: boolean;
  commands: { allow: readonly string[]; deny: readonly string[] };
  autoApproveLocal: boolean;
  allowedOrigins: readonly string[];
  /** How long results are kept; what is absent has the default of the store. */
  ledger: LedgerPlan;
  warnings: readonly string[];
}

export type StartDecision = { ok: true; plan: StartPlan } | { ok: false; refusal: StartRefusal };

export interface StartInput {
  flags: GatewayRunFlags;
  env: Env;
  paths: Pick<Paths, "configPath">;
  loaded: LoadedConfig;
  /** The program's name in hints, for example `openclaw gateway run`. */
  command: string;
}

const CONFIG_EXIT = 78;
const BIND_MODES = ["loopback", "lan", "tailnet", "auto", "custom"];
const LOOPBACK = "127.0.0.1";
const LOOPBACK_V6 = "::1";

/** Decides whether and how to start, from flags, environment and config. Touches nothing. */
export function planStart(input: StartInput): StartDecision {
  const { flags, loaded } = input;
  if (!loaded.ok) return refuse(invalidConfig(loaded.path, loaded.issues));
  const gateway = loaded.config.gateway ?? {};
  const unstarted = refuseUnconfigured(input, loaded.exists, gateway.mode);
  if (unstarted !== undefined) return refuse(unstarted);

  const port = choosePort(input, loaded);
  if (typeof port !== "number") return refuse(port);
  const bind = flags.bind ?? gateway.bind ?? "loopback";
  const listening = chooseHosts(bind, flags.bind !== undefined, gateway.customBindHost);
  if ("message" in listening) return refuse(listening);
  const unsupported = refuseUnsupported(flags, gateway);
  if (unsupported !== undefined) return refuse(unsupported);

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
  return {
    ok: true,
    plan: {
      ...listening,
      bind,
      port,
      auth: decision.auth,
      isRunOnlySecret: decision.source === "generated",
      // Both generations of the names are accepted, so both are obeyed.
      commands: {
        allow: [...(gateway.nodes?.commands?.allow ?? []), ...(gateway.nodes?.allowCommands ?? [])],
        deny: [...(gateway.nodes?.commands?.deny ?? []), ...(gateway.nodes?.denyCommands ?? [])],
      },
      autoApproveLocal: gateway.nodes?.pairing?.autoApproveLocal ?? true,
      allowedOrigins: gateway.controlUi?.allowedOrigins ?? [],
      ledger: withoutAbsent(gateway.ledger ?? {}),
      warnings: [...loaded.warnings, ...decision.warnings],
    },
  };
}

function invalidConfig(path: string, issues: readonly ConfigIssue[]): StartRefusal {
  return {
    id: "config",
    message: `the config file is invalid: ${path}`,
    hints: configProblems(issues),
    exitCode: CONFIG_EXIT,
  };
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
      `Set gateway.mode to local in that file, or start once with ${command} --allow-unconfigured`,
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

function chooseHosts(
  bind: string,
  isFlag: boolean,
  customBindHost: string | undefined,
): Pick<StartPlan, "hosts" | "optionalHosts"> | StartRefusal {
  switch (bind) {
    case "loopback":
    // Loopback can always be bound here, which is what `auto` tries first.
    case "auto":
      return { hosts: [LOOPBACK], optionalHosts: [LOOPBACK_V6] };
    case "lan":
      return { hosts: ["0.0.0.0"], optionalHosts: [] };
    case "custom":
      if (customBindHost === undefined) {
        return {
          id: "R14",
          message: "gateway.bind is custom, and gateway.customBindHost is not set",
          hints: ["Set gateway.customBindHost to an IPv4 address of this machine."],
          exitCode: CONFIG_EXIT,
        };
      }
      return {
        hosts: [...new Set([customBindHost, ...(customBindHost === "0.0.0.0" ? [] : [LOOPBACK])])],
        optionalHosts: [],
      };
    case "tailnet":
      return {
        id: "unsupported",
        message: `${isFlag ? "--bind" : "gateway.bind"} tailnet is not supported yet`,
        hints: [
          "Use loopback and an SSH tunnel, or custom with gateway.customBindHost set to the tailnet address.",
        ],
        exitCode: CONFIG_EXIT,
      };
    default:
      return {
        id: "R4",
        message: `unknown ${isFlag ? "--bind" : "gateway.bind"} ${JSON.stringify(bind)}`,
        hints: [`Allowed: ${BIND_MODES.join(", ")}.`],
        exitCode: 1,
      };
  }
}

/** What a config file may ask for and this Gateway cannot honour is refused, never left out. */
function refuseUnsupported(
  flags: GatewayRunFlags,
  gateway: NonNullable<OpenClawConfig["gateway"]>,
): StartRefusal | undefined {
  const tailscale = flags.tailscale ?? gateway.tailscale?.mode ?? "off";
  if (!["off", "serve", "funnel"].includes(tailscale)) {
    return {
      id: "R5",
      message: `unknown --tailscale ${JSON.stringify(tailscale)}`,
      hints: ["Allowed: off, serve, funnel."],
      exitCode: 1,
    };
  }
  if (tailscale !== "off") {
    return unsupported(
      `${flags.tailscale === undefined ? "gateway.tailscale.mode" : "--tailscale"} ${tailscale}`,
      `Set it to off and run "tailscale serve" yourself, or use an SSH tunnel.`,
    );
  }
  if (gateway.tls?.enabled === true) {
    return unsupported(
      "gateway.tls.enabled",
      "Use an SSH tunnel, or a TLS proxy in front of loopback.",
    );
  }
  return undefined;
}

function unsupported(what: string, hint: string): StartRefusal {
  return {
    id: "unsupported",
    message: `${what} is not supported yet`,
    hints: [hint],
    exitCode: CONFIG_EXIT,
  };
}

function withoutAbsent(ledger: { [K in keyof LedgerPlan]: LedgerPlan[K] | undefined }): LedgerPlan {
  // Only members without a value are dropped, so the others keep their types.
  return Object.fromEntries(
    Object.entries(ledger).filter(([, value]) => value !== undefined),
  ) as LedgerPlan;
}

function isGiven(value: string | undefined): boolean {
  return value !== undefined && value !== "";
}

function refuse(refusal: StartRefusal): StartDecision {
  return { ok: false, refusal };
}
