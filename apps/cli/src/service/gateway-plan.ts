import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { configProblems, hasCode } from "@openclaw/app-kit";
import {
  type ConfigEdit,
  loadConfig,
  type LoadedConfig,
  parseDotEnv,
  readConfigLoosely,
  resolveGatewayPort,
  resolveServerAuth,
} from "@openclaw/config";
import { CliError } from "../errors.ts";
import type { CommandContext } from "../program/command-context.ts";
import { environmentFilePath } from "./environment-file.ts";

/** What has to be so that a Gateway starts without the shell of whoever installs it. */
export interface GatewayPlan {
  readonly port: number;
  readonly allowUnconfigured: boolean;
  /** Changes of the config file. */
  readonly edits: readonly ConfigEdit[];
  /** Variables that only the environment of the installer has. */
  readonly variables: Readonly<Record<string, string>>;
  /** What was arranged, for people; without secrets. */
  readonly notes: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Plans the service of a Gateway: its port, and where it finds its secret. A secret goes into the
 * config file or into a file of its own, both of them private; never into the definition.
 *
 * @throws {CliError} when the Gateway would refuse to start
 */
export async function planGateway(context: CommandContext): Promise<GatewayPlan> {
  const { env, paths } = context;
  const loaded = await loadConfig({ path: paths.configPath, env });
  const allowUnconfigured = context.flag("allow-unconfigured");
  const { port } = resolveGatewayPort({
    flag: context.text("port"),
    env,
    config: loaded.ok ? loaded.config : {},
  });
  if (!loaded.ok) return withBrokenConfig(context, loaded, { port, allowUnconfigured });

  const mode = modeEdits(context, loaded, allowUnconfigured);
  const auth = await authPlan(context, loaded, allowUnconfigured);
  const place = portEdits(context, loaded, port);
  return {
    port,
    allowUnconfigured,
    edits: [...mode.edits, ...place.edits, ...auth.edits],
    variables: auth.variables,
    notes: [...mode.notes, ...place.notes, ...auth.notes],
    warnings: [...place.warnings, ...auth.warnings],
  };
}

/** The service is made all the same: whoever mends the file need not know of this. */
function withBrokenConfig(
  context: CommandContext,
  { path, issues }: LoadedConfig & { ok: false },
  plan: Pick<GatewayPlan, "port" | "allowUnconfigured">,
): GatewayPlan {
  if (context.text("token") !== undefined) {
    throw new CliError(
      "cli_error",
      `the token cannot be kept: the config file is invalid: ${path}`,
      {
        hints: configProblems(issues),
        fields: { kind: "config", issues },
      },
    );
  }
  const warning = `the config file is invalid, and the Gateway will not start before it is mended: ${path}`;
  return { ...plan, edits: [], variables: {}, notes: [], warnings: [warning] };
}

function modeEdits(
  { paths, commandLine }: CommandContext,
  { config }: LoadedConfig & { ok: true },
  allowUnconfigured: boolean,
): Pick<GatewayPlan, "edits" | "notes"> {
  const mode = config.gateway?.mode;
  if (mode === "local" || allowUnconfigured) return { edits: [], notes: [] };
  if (mode === undefined) {
    return {
      edits: [{ path: "gateway.mode", value: "local" }],
      notes: [`Set gateway.mode to local in ${paths.configPath}`],
    };
  }
  throw new CliError(
    "cli_error",
    `gateway.mode is ${mode} in ${paths.configPath}, so this machine is not to run a Gateway`,
    {
      hints: [
        "Set gateway.mode to local in that file,",
        `or: ${commandLine("gateway install --allow-unconfigured")}`,
      ],
      fields: { kind: "config" },
    },
  );
}

/** Every other command looks for the Gateway where the config says; the service alone knows the flag. */
function portEdits(
  context: CommandContext,
  { config }: LoadedConfig & { ok: true },
  port: number,
): Pick<GatewayPlan, "edits" | "notes" | "warnings"> {
  const { configPath } = context.paths;
  const configured = config.gateway?.port;
  const usual = resolveGatewayPort({ env: context.env, config }).port;
  if (context.text("port") === undefined || port === usual) {
    return { edits: [], notes: [], warnings: [] };
  }
  if (configured === undefined && config.gateway?.mode !== "remote") {
    return {
      edits: [{ path: "gateway.port", value: port }],
      notes: [`Set gateway.port to ${port} in ${configPath}`],
      warnings: [],
    };
  }
  const warning = `other commands look for the Gateway on port ${usual}; to change that, set gateway.port to ${port} in ${configPath}`;
  return { edits: [], notes: [], warnings: [warning] };
}

type AuthPlan = Omit<GatewayPlan, "port" | "allowUnconfigured">;

async function authPlan(
  context: CommandContext,
  loaded: LoadedConfig & { ok: true },
  allowUnconfigured: boolean,
): Promise<AuthPlan> {
  const { paths } = context;
  const decision = resolveServerAuth({
    flags: { token: context.text("token") },
    env: loaded.env,
    config: loaded.config,
    unresolved: loaded.unresolved,
  });
  if (!decision.ok) {
    const { message, hint } = decision.refusal;
    throw new CliError("cli_error", message, { hints: [hint], fields: { kind: "config" } });
  }
  const { auth, source, warnings } = decision;
  const variables = await installersVariables(context, source);
  if (auth.mode !== "token") return kept(context, variables, warnings);
  if (source === "generated") {
    // The Gateway makes one for each run where it may, and tells the programs of this user.
    if (allowUnconfigured) return kept(context, variables, []);
    return {
      ...kept(context, variables, []),
      edits: [{ path: "gateway.auth.token", value: auth.token }],
      notes: [`Made a token, and wrote it to ${paths.configPath} as gateway.auth.token`],
    };
  }
  if (source === "--token") {
    return {
      ...kept(context, variables, warnings),
      // Written as it is, and not as a reference to a variable.
      edits: [{ path: "gateway.auth.token", value: auth.token.replaceAll("${", "$${") }],
      notes: [`Wrote the token to ${paths.configPath} as gateway.auth.token`],
    };
  }
  return kept(context, variables, warnings);
}

function kept(
  { paths }: CommandContext,
  variables: Readonly<Record<string, string>>,
  warnings: readonly string[],
): AuthPlan {
  const names = Object.keys(variables).join(", ");
  return {
    edits: [],
    variables,
    notes:
      names === ""
        ? []
        : [
            `Keeps ${names} in ${environmentFilePath(paths.stateDir, "gateway")}, for only this shell has it`,
          ],
    warnings,
  };
}

/**
 * Variables that the Gateway will need and that a service does not get: those that the config
 * refers to, and the secret itself.
 */
async function installersVariables(
  { env, paths }: CommandContext,
  secretSource: string | undefined,
): Promise<Record<string, string>> {
  const own = await serviceVariables(paths.stateDir);
  const bare = await readConfigLoosely({ path: paths.configPath, env: own });
  const names = new Set(bare.unresolved.map(({ name }) => name));
  const secrets = ["OPENCLAW_GATEWAY_TOKEN", "OPENCLAW_GATEWAY_PASSWORD"];
  if (secretSource !== undefined && secrets.includes(secretSource)) names.add(secretSource);
  return Object.fromEntries(
    [...names].flatMap((name) => {
      const value = env[name] ?? "";
      return value === "" || own[name] !== undefined ? [] : [[name, value]];
    }),
  );
}

/** What the service reads by itself when it starts. */
async function serviceVariables(stateDir: string): Promise<Record<string, string>> {
  try {
    return parseDotEnv(await readFile(join(stateDir, ".env"), "utf8"));
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR")) return {};
    throw error;
  }
}
