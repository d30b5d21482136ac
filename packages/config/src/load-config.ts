import { type Env, isEnvSwitchOn } from "./env.ts";
import type { ConfigIssue } from "./config-issue.ts";
import { misplacedKeys } from "./config-warnings.ts";
import type { ConfigSources } from "./config-sources.ts";
import { valueAt, type JsonObject } from "./json.ts";
import type { LegacyKey } from "./migration/legacy-keys.ts";
import { envHome } from "./paths.ts";
import { type ConfigFileOptions, type LooseConfig, readWithSources } from "./read-config.ts";
import type { OpenClawConfig } from "./schema/config-schema.ts";
import type { Step } from "./include/located-value.ts";
import type { RunShell } from "./shell-env.ts";
import type { UnresolvedReference } from "./substitute.ts";

/** Options of {@link loadConfig}. */
export interface LoadConfigOptions extends ConfigFileOptions {
  /** Version of the program: a file that a newer one has written is warned about. */
  version?: string | undefined;
  /** Runs the login shell, where the config asks for its variables. @default the real one */
  runShell?: RunShell;
}

/** A config file that was read and found right, or everything that is wrong with it. */
export type LoadedConfig =
  | {
      ok: true;
      path: string;
      /** `false` when there is no such file; `config` is then empty. */
      exists: boolean;
      /** As it is written: a key that is missing is missing here too; see `applyDefaults`. */
      config: OpenClawConfig;
      /** The environment with the `env` block of the file, and what the login shell knows, added. */
      env: Env;
      /** Variables without a value; the keys that refer to them count as unset. */
      unresolved: UnresolvedReference[];
      /** The files that it includes, by their real paths. */
      includes: readonly string[];
      warnings: string[];
    }
  | {
      ok: false;
      path: string;
      issues: ConfigIssue[];
      includes: readonly string[];
      /** Keys of earlier releases, which `planLegacyKeys` can rewrite. */
      legacy: readonly LegacyKey[];
    };

/**
 * Reads a config file and what it includes, replaces `${VAR}`, and checks every key. Never rejects; the
 * schema is loaded only when there is a file to check.
 */
export async function loadConfig(options: LoadConfigOptions): Promise<LoadedConfig> {
  const { loose, sources } = await readWithSources(options);
  const { path, exists, config, env, unresolved, includes, warnings, problem } = loose;
  if (problem !== undefined) return { ok: false, path, issues: [problem], includes, legacy: [] };
  if (sources === undefined) {
    return { ok: true, path, exists, config: {}, env, unresolved, includes, warnings };
  }
  const { expandConfigPaths, validateConfig } = await import("./schema/validate.ts");
  const validation = validateConfig(config);
  if (!validation.ok) {
    const issues = await withPositions(validation, sources);
    return { ok: false, path, issues, includes, legacy: await legacyKeys(sources.value) };
  }
  const missing = await missingRestrictions(unresolved);
  if (missing.length > 0) return { ok: false, path, issues: missing, includes, legacy: [] };
  const home = envHome(env);
  return {
    ok: true,
    path,
    exists,
    config: home === undefined ? validation.config : expandConfigPaths(validation.config, home),
    env: await withShell(loose, options.runShell),
    unresolved,
    includes,
    warnings: [...warnings, ...misplacedKeys(config), ...newerVersion(config, options.version)],
  };
}

/** A list that keeps somebody out must not become shorter because a variable is missing. */
async function missingRestrictions(
  unresolved: readonly UnresolvedReference[],
): Promise<ConfigIssue[]> {
  if (unresolved.length === 0) return [];
  const { isRestriction } = await import("./schema/validate.ts");
  return unresolved
    .filter(({ path }) => isRestriction(path))
    .map(({ path, name }) => ({
      kind: "invalid-value",
      path,
      message: `refers to \${${name}}, which is not set; without it more would be allowed`,
    }));
}

/** Adds to each issue where it is written. */
async function withPositions(
  { issues, places }: { issues: readonly ConfigIssue[]; places: readonly (readonly Step[])[] },
  sources: ConfigSources,
): Promise<ConfigIssue[]> {
  const [{ originOf }, { positionsIn }] = await Promise.all([
    import("./include/located-value.ts"),
    import("./config-position.ts"),
  ]);
  const find = await positionsIn(sources.texts);
  return issues.map((issue, index) => {
    const { file, steps } = originOf(sources, places[index] ?? [], sources.origins);
    return { ...issue, file, ...find(file, steps) };
  });
}

/** A config that is right has none of them. */
async function legacyKeys(config: JsonObject): Promise<LegacyKey[]> {
  const { planLegacyKeys } = await import("./migration/legacy-keys.ts");
  return planLegacyKeys(config).keys;
}

async function withShell({ config, env }: LooseConfig, runShell?: RunShell): Promise<Env> {
  const isAsked =
    valueAt(config, "env.shellEnv.enabled") === true ||
    isEnvSwitchOn(env, "OPENCLAW_LOAD_SHELL_ENV");
  if (!isAsked || isEnvSwitchOn(env, "OPENCLAW_DEFER_SHELL_ENV_FALLBACK")) return env;
  const { importShellEnv } = await import("./shell-env.ts");
  return importShellEnv({ config, env, runShell });
}

/** A file of a newer release is read as far as it is understood. */
function newerVersion(config: JsonObject, version: string | undefined): string[] {
  const written = valueAt(config, "meta.lastTouchedVersion");
  if (version === undefined || typeof written !== "string" || !isNewer(written, version)) return [];
  return [
    `The config file was last written by version ${written}, which is newer than ${version}.`,
  ];
}

/** Compares numbers between dots; what follows a hyphen does not count. */
function isNewer(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) =>
    /^v?(\d+(?:\.\d+)*)/u.exec(text)?.[1]?.split(".").map(Number),
  );
  if (a === undefined || b === undefined) return false;
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
