import { readFile } from "node:fs/promises";
import { type ConfigIssue, ROOT_PATH } from "./config-issue.ts";
import type { Env } from "./env.ts";
import { isObject, type JsonObject } from "./json.ts";
import { parseConfigText } from "./parse-config-text.ts";
import { substituteVariables, type UnresolvedReference } from "./substitute.ts";

/** Options of {@link readConfigLoosely} and `loadConfig`. */
export interface ConfigFileOptions {
  /** The file, as `resolvePaths` found it. It may be missing. */
  path: string;
  env: Env;
}

/** A config file as it is written, with variables replaced, and not validated. */
export interface LooseConfig {
  path: string;
  /** `false` when there is no such file, which is an empty config and no problem. */
  exists: boolean;
  /** Empty when the file could not be read or parsed; then `problem` says why. */
  config: JsonObject;
  /** The environment with the `env` block of the file added. */
  env: Env;
  unresolved: UnresolvedReference[];
  warnings: string[];
  problem?: ConfigIssue;
}

/**
 * Reads a config file without checking it against the schema: for commands that must work with a
 * broken file, and for those that must start fast. Never rejects. Values of the wrong type are
 * treated as unset by the resolvers of this package.
 */
export async function readConfigLoosely({ path, env }: ConfigFileOptions): Promise<LooseConfig> {
  const empty: LooseConfig = { path, exists: false, config: {}, env, unresolved: [], warnings: [] };
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return empty;
    const message = `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    return { ...empty, exists: true, problem: { kind: "unreadable", path: ROOT_PATH, message } };
  }
  const parsed = await parseConfigText(text);
  if (!parsed.ok) return { ...empty, exists: true, problem: parsed.issue };
  if (!isObject(parsed.value)) {
    const message = `found ${Array.isArray(parsed.value) ? "an array" : JSON.stringify(typeof parsed.value)}; allowed: an object`;
    return { ...empty, exists: true, problem: { kind: "invalid-value", path: ROOT_PATH, message } };
  }
  const fullEnv = addEnvBlock(env, parsed.value["env"]);
  const { value, unresolved } = substituteVariables(parsed.value, fullEnv);
  const warnings = unresolved.map(
    (reference) =>
      `${reference.path} refers to \${${reference.name}}, which is not set; the key counts as unset.`,
  );
  // Substitution maps an object to an object.
  return { path, exists: true, config: value as JsonObject, env: fullEnv, unresolved, warnings };
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
    if (typeof raw !== "string" || (added[name] ?? "").trim() !== "") continue;
    const { value } = substituteVariables(raw, env);
    if (typeof value === "string") added[name] = value;
  }
  return added;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
