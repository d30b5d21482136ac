import { posix, win32 } from "node:path";
import type { ServiceKind, ServiceNames } from "./service-names.ts";

export interface ServiceEnvironmentInput {
  readonly kind: ServiceKind;
  readonly names: ServiceNames;
  readonly home: string;
  readonly stateDir: string;
  readonly configPath: string;
  readonly profile?: string | undefined;
  /** Name of a tunnel. */
  readonly name?: string | undefined;
  readonly port?: number | undefined;
  /** Version of the program that writes the definition. */
  readonly version: string;
  /** See {@link servicePath}. Windows keeps the path of the user. */
  readonly path?: string | undefined;
}

/**
 * The variables of a service: where its home, state and config are, who wrote it, and nothing that
 * is a secret.
 */
export function serviceEnvironment(input: ServiceEnvironmentInput): Record<string, string> {
  const { kind, names, path, profile, name, port } = input;
  return {
    HOME: input.home,
    ...(path === undefined ? {} : { PATH: path }),
    ...(profile === undefined ? {} : { OPENCLAW_PROFILE: profile }),
    OPENCLAW_STATE_DIR: input.stateDir,
    OPENCLAW_CONFIG_PATH: input.configPath,
    ...(port === undefined ? {} : { OPENCLAW_GATEWAY_PORT: String(port) }),
    OPENCLAW_LAUNCHD_LABEL: names.launchdLabel,
    OPENCLAW_SYSTEMD_UNIT: names.systemdUnit,
    OPENCLAW_WINDOWS_TASK_NAME: names.windowsTask,
    OPENCLAW_TASK_SCRIPT_NAME: names.scriptName,
    OPENCLAW_LOG_PREFIX: names.logPrefix,
    OPENCLAW_SERVICE_MARKER: "openclaw",
    OPENCLAW_SERVICE_KIND: kind,
    OPENCLAW_SERVICE_VERSION: input.version,
    ...(name === undefined ? {} : { OPENCLAW_SERVICE_NAME: name }),
  };
}

export interface ServicePathInput {
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether a folder is there; what is not there is left out. */
  readonly exists: (folder: string) => boolean;
}

/** Folders that every PATH of a service has, by platform. */
export const MINIMAL_PATH: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: ["/opt/homebrew/bin", "/usr/local/bin", "/usr/bin", "/bin"],
  linux: ["/usr/local/bin", "/usr/bin", "/bin"],
};

/**
 * The PATH of a service: on Linux the folders where this user's own programs are, then the system's.
 * Not the PATH of whoever installs: a service that works because of one shell's settings breaks when
 * those change. Undefined on Windows.
 */
export function servicePath({ platform, home, env, exists }: ServicePathInput): string | undefined {
  const minimal = MINIMAL_PATH[platform];
  if (minimal === undefined) return undefined;
  if (platform !== "linux") return minimal.join(":");
  const folders = userFolders(home, env).filter((folder) => exists(folder));
  return [...new Set([...folders, ...minimal])].join(":");
}

/** Where package and version managers put programs for one user. */
function userFolders(home: string, env: ServicePathInput["env"]): string[] {
  const set = (variable: string, ...rest: string[]): string[] => {
    const value = env[variable]?.trim() ?? "";
    return posix.isAbsolute(value) && !value.includes(":") ? [posix.join(value, ...rest)] : [];
  };
  const inHome = (...parts: string[]): string => posix.join(home, ...parts);
  return [
    ...set("PNPM_HOME"),
    ...set("NPM_CONFIG_PREFIX", "bin"),
    ...set("BUN_INSTALL", "bin"),
    ...set("VOLTA_HOME", "bin"),
    ...set("ASDF_DATA_DIR", "shims"),
    ...set("NVM_DIR", "current", "bin"),
    ...set("FNM_DIR", "current", "bin"),
    inHome(".local", "bin"),
    inHome(".npm-global", "bin"),
    inHome("bin"),
    inHome(".local", "share", "pnpm"),
    inHome(".bun", "bin"),
    inHome(".volta", "bin"),
    inHome(".asdf", "shims"),
    inHome(".nvm", "current", "bin"),
    inHome(".fnm", "current", "bin"),
  ];
}

/** Log files of a service, in its state directory. */
export function serviceLogs(
  stateDir: string,
  { logPrefix }: Pick<ServiceNames, "logPrefix">,
  platform: NodeJS.Platform,
): { stdout: string; stderr: string } {
  const { join } = platform === "win32" ? win32 : posix;
  return {
    stdout: join(stateDir, "logs", `${logPrefix}.log`),
    stderr: join(stateDir, "logs", `${logPrefix}.err.log`),
  };
}
