import type { ConfigIssue } from "./config-issue.ts";
import { type ConfigSources, readConfigSources } from "./config-sources.ts";
import type { Env } from "./env.ts";
import { isObject, type JsonObject } from "./json.ts";
import { substituteVariables, type UnresolvedReference } from "./substitute.ts";

/** Options of {@link readConfigLoosely} and `loadConfig`. */
export interface ConfigFileOptions {
  /** The file, as `resolvePaths` found it. It may be missing. */
  path: string;
  env: Env;
}

/** A config file as it is written, with includes and variables replaced, and not validated. */
export interface LooseConfig {
  path: string;
  /** `false` when there is no such file, which is an empty config and no problem. */
  exists: boolean;
  /** Empty when the file could not be read or parsed; then `problem` says why. */
  config: JsonObject;
  /** The environment with the `env` block of the file added. */
  env: Env;
  unresolved: UnresolvedReference[];
  /** The files that it includes. */
  includes: readonly string[];
  warnings: string[];
  problem?: ConfigIssue;
}

/**
 * Reads a config file without checking it against the schema: for commands that must work with a
 * broken file, and for those that must start fast. Never rejects. Values of the wrong type are
 * treated as unset by the resolvers of this package.
 */
export async function readConfigLoosely(options: ConfigFileOptions): Promise<LooseConfig> {
  return (await readWithSources(options)).loose;
}

/** The same, with the sources for whoever has to say where something is written. */
export async function readWithSources({
  path,
  env,
}: ConfigFileOptions): Promise<{ loose: LooseConfig; sources?: ConfigSources }> {
  const read = await readConfigSources({ path, env });
  if (read.kind !== "read") {
    const exists = read.kind !== "missing";
    const empty = { path, exists, config: {}, env, unresolved: [], includes: [], warnings: [] };
    return { loose: read.kind === "broken" ? { ...empty, problem: read.issue } : empty };
  }
  const { sources } = read;
  const fullEnv = addEnvBlock(env, sources.value["env"]);
  const { value, unresolved } = substituteVariables(sources.value, fullEnv);
  const loose = {
    path,
    exists: true,
    // Substitution maps an object to an object.
    config: value as JsonObject,
    env: fullEnv,
    unresolved,
    includes: sources.includes,
    warnings: unresolved.map(
      (reference) =>
        `${reference.path} refers to \${${reference.name}}, which is not set; the key counts as unset.`,
    ),
  };
  return { loose, sources };
}

/** `env.vars.<NAME>` and `env.<NAME>`, for names that have no value yet. */
function addEnvBlock(env: Env, block: unknown): Env {
  if (!isObject(block)) return env;
  const { vars, shellEnv: _, ...direct } = block;
  const added: Record<string, string | undefined> = { ...env };
  for (const [name, raw] of [
    ...Object.entries(isObject(vars) ? vars : {}),
    ...Object.entries(direct),
  ]) {
    // Asked for its own, since names such as "constructor" have a value on every object.
    const present = Object.hasOwn(added, name) ? added[name] : undefined;
    if (typeof raw !== "string" || (present ?? "").trim() !== "") continue;
    const { value } = substituteVariables(raw, env);
    if (typeof value === "string") added[name] = value;
  }
  return added;
}
