import { resolvePaths } from "@openclaw/config";
import {
  createServiceManager,
  overrideNames,
  type ServiceKind,
  type ServiceManager,
  type ServiceNames,
  serviceNames,
  type ServiceRef,
} from "@openclaw/service";
import type { CommandContext } from "../program/command-context.ts";

/** The service of a kind that belongs to the profile of a command line. */
export interface CliService {
  readonly manager: ServiceManager;
  readonly ref: ServiceRef & { readonly names: ServiceNames };
  /**
   * Why the service of this profile has nothing to do with this command line: it looks at a state
   * directory, or a home, of its own.
   */
  readonly foreign: string | undefined;
}

/**
 * Finds manager and names. Touches nothing.
 *
 * @param name tells the tunnels of a profile apart.
 */
export function cliService(context: CommandContext, kind: ServiceKind, name?: string): CliService {
  const { io, env, paths } = context;
  const usual = serviceNames(kind, paths.profile, name);
  const names = name === undefined ? overrideNames(usual, overridesOf(env, kind)) : usual;
  return {
    manager: createServiceManager({ home: io.homedir, stateDir: paths.stateDir, env }),
    ref: { kind, profile: paths.profile, name, names },
    foreign: foreignness(context),
  };
}

/**
 * Programs that a service has started inherit its names, and may well ask for another service:
 * those of another kind do not count.
 */
function overridesOf(env: CommandContext["env"], kind: ServiceKind) {
  const owner = env["OPENCLAW_SERVICE_KIND"];
  if (owner !== undefined && owner !== kind) return {};
  return {
    launchdLabel: env["OPENCLAW_LAUNCHD_LABEL"],
    systemdUnit: env["OPENCLAW_SYSTEMD_UNIT"],
    windowsTask: env["OPENCLAW_WINDOWS_TASK_NAME"],
    scriptName: env["OPENCLAW_TASK_SCRIPT_NAME"],
    logPrefix: env["OPENCLAW_LOG_PREFIX"],
  };
}

/** Two state directories under one profile would fight over one service. */
function foreignness({ io, env, paths }: CommandContext): string | undefined {
  if (paths.home !== io.homedir) return `the home directory is ${paths.home}, and not this user's`;
  const own = { ...env };
  for (const name of ["OPENCLAW_STATE_DIR", "CLAWDBOT_STATE_DIR", "MOLTBOT_STATE_DIR"]) {
    delete own[name];
  }
  const usual = resolvePaths({
    env: { ...own, OPENCLAW_CONFIG_PATH: paths.configPath },
    homedir: io.homedir,
    cwd: io.cwd,
    profile: paths.profile,
  }).stateDir;
  return usual === paths.stateDir
    ? undefined
    : `the state directory is ${paths.stateDir}, and not that of the profile, ${usual}`;
}
