import { type Env, isEnvSwitchOn } from "./env.ts";
import type { ConfigIssue } from "./config-issue.ts";
import { misplacedKeys } from "./config-warnings.ts";
import type { ConfigSources } from "./config-sources.ts";
import { joinPath, valueAt, type JsonObject } from "./json.ts";
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
    const issues = await withPositions(validation, sources, unresolved);
    return { ok: false, path, issues, includes, legacy: await legacyKeys(sources.value) };
  }
  const missing = await missingRestrictions(unresolved);
  if (missing.issues.length > 0) {
    // Their paths are those of the file already.
    const issues = await withPositions(missing, sources, []);
    return { ok: false, path, issues, includes, legacy: [] };
  }
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
): Promise<{ issues: ConfigIssue[]; places: (readonly Step[])[] }> {
  if (unresolved.length === 0) return { issues: [], places: [] };
  const [{ isRestriction }, { parseConfigPath }] = await Promise.all([
    import("./schema/validate.ts"),
    import("./edit/config-path.ts"),
  ]);
  const missing = unresolved.filter(({ path }) => isRestriction(path));
  return {
    issues: missing.map(({ path, name }) => ({
      kind: "invalid-value",
      path,
      message: `refers to \${${name}}, which is not set; without it more would be allowed`,
    })),
    places: missing.map(({ path }) => parseConfigPath(path)),
  };
}

/** Adds to each issue where it is written. */
async function withPositions(
  { issues, places }: { issues: readonly ConfigIssue[]; places: readonly (readonly Step[])[] },
  sources: ConfigSources,
  unresolved: readonly UnresolvedReference[],
): Promise<ConfigIssue[]> {
  const [{ originOf }, { positionsIn }, { formatConfigPath }] = await Promise.all([
    import("./include/located-value.ts"),
    import("./config-position.ts"),
    import("./edit/config-path.ts"),
  ]);
  const find = await positionsIn(sources.texts);
  const missing = new Set(unresolved.map(({ path }) => path));
  return issues.map((issue, index) => {
    const place = places[index] ?? [];
    const written = writtenSteps(place, missing);
    const { file, steps } = originOf(sources, written, sources.origins);
    const isMoved = written.some((step, at) => step !== place[at]);
    const path = isMoved ? formatConfigPath(written) : issue.path;
    return { ...issue, path, file, ...find(file, steps) };
  });
}

/** The steps to a value as it is written, where items before it are missing for want of a variable. */
function writtenSteps(steps: readonly Step[], missing: ReadonlySet<string>): Step[] {
  const written: Step[] = [];
  let path = "";
  for (const step of steps) {
    const place = typeof step === "number" ? writtenIndex(path, step, missing) : step;
    written.push(place);
    path = joinPath(path, place);
  }
  return written;
}

function writtenIndex(path: string, index: number, missing: ReadonlySet<string>): number {
  let at = 0;
  for (let left = index; ; at += 1) {
    if (missing.has(joinPath(path, at))) continue;
    if (left === 0) return at;
    left -= 1;
  }
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
