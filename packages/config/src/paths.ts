import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { readEnv, type Env } from "./env.ts";
import { applyProfile } from "./profiles.ts";

/** Options of {@link resolvePaths}. */
export interface PathsOptions {
  env: Env;
  /** Home directory as the system knows it; used when `HOME` and its like are unset. */
  homedir: string;
  /** Profile asked for on the command line. @default `OPENCLAW_PROFILE`, else none */
  profile?: string | undefined;
  /** Base of relative paths. @default process.cwd() */
  cwd?: string;
  /** Whether a file or directory is there. @default existsSync */
  exists?: (path: string) => boolean;
}

/** Where configuration and state live. All paths are absolute; none has to exist. */
export interface Paths {
  home: string;
  profile: string | undefined;
  stateDir: string;
  /** The file to read, or, when none exists, the one that a first write creates. */
  configPath: string;
  /** Every place where a config file was looked for, in order. */
  configCandidates: string[];
}

/** Files inside the state directory that the Gateway, a node and the CLI share. */
export interface StateFiles {
  env: string;
  deviceIdentity: string;
  deviceTokens: string;
  node: string;
  execApprovals: string;
}

/** Names of the config file, the present one first. */
export const CONFIG_NAMES: readonly string[] = [
  "openclaw.json",
  "clawdbot.json",
  "moltbot.json",
  "moldbot.json",
];
/** Names that the state directory had in earlier releases, within the home directory. */
export const OLD_STATE_DIRS: readonly string[] = [".clawdbot", ".moltbot", ".moldbot"];

/**
 * Finds the home, the state directory and the config file, names of earlier releases included.
 *
 * @throws {@link ConfigError} `INVALID_PROFILE` when the profile has a name that is not allowed.
 */
export function resolvePaths(options: PathsOptions): Paths {
  const { homedir, cwd = process.cwd(), exists = existsSync } = options;
  const home = resolveHome(options.env, homedir, cwd);
  const profile = options.profile ?? readEnv(options.env, "OPENCLAW_PROFILE")?.value;
  const env = profile === undefined ? options.env : applyProfile(options.env, profile, home);
  const absolute = (path: string) => resolve(cwd, expandHome(path, home));

  const defaultDir = join(home, ".openclaw");
  const oldDirs = OLD_STATE_DIRS.map((name) => join(home, name));
  const stateOverride = readEnv(env, "OPENCLAW_STATE_DIR");
  const stateDir =
    stateOverride === undefined
      ? ([defaultDir, ...oldDirs].find((path) => exists(path)) ?? defaultDir)
      : absolute(stateOverride.value);

  const configOverride = readEnv(env, "OPENCLAW_CONFIG_PATH");
  if (configOverride !== undefined) {
    const configPath = absolute(configOverride.value);
    return { home, profile, stateDir, configPath, configCandidates: [configPath] };
  }
  const dirs = stateOverride === undefined ? [defaultDir, ...oldDirs] : [stateDir];
  const configCandidates = dirs.flatMap((dir) => CONFIG_NAMES.map((name) => join(dir, name)));
  const configPath =
    configCandidates.find((path) => exists(path)) ?? join(stateDir, "openclaw.json");
  return { home, profile, stateDir, configPath, configCandidates };
}

/** Replaces a leading `~` by the home directory; `~user` is left as it is. */
export function expandHome(path: string, home: string): string {
  return /^~(?=$|[\\/])/u.test(path) ? join(home, path.slice(1)) : path;
}

/** Names of the files in a state directory. */
export function stateFiles(stateDir: string): StateFiles {
  return {
    env: join(stateDir, ".env"),
    deviceIdentity: join(stateDir, "identity", "device.json"),
    deviceTokens: join(stateDir, "identity", "device-auth.json"),
    node: join(stateDir, "node.json"),
    execApprovals: join(stateDir, "exec-approvals.json"),
  };
}

/** The home directory, as far as the environment tells it. */
export function envHome(env: Env): string | undefined {
  const osHome = nonBlank(env["HOME"]) ?? nonBlank(env["USERPROFILE"]);
  const override = readEnv(env, "OPENCLAW_HOME")?.value;
  if (override === undefined || osHome === undefined) return override ?? osHome;
  return expandHome(override, osHome);
}

function resolveHome(env: Env, homedir: string, cwd: string): string {
  const home = envHome({
    ...env,
    HOME: nonBlank(env["HOME"]) ?? nonBlank(env["USERPROFILE"]) ?? homedir,
  });
  return resolve(cwd, home ?? homedir);
}

function nonBlank(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === "" ? undefined : value;
}
