import type { ConfigIssue } from "./config-issue.ts";
import type { Env } from "./env.ts";
import { readConfigLoosely, type ConfigFileOptions } from "./read-config.ts";
import type { OpenClawConfig } from "./schema/config-schema.ts";
import type { UnresolvedReference } from "./substitute.ts";

/** A config file that was read and found right, or everything that is wrong with it. */
export type LoadedConfig =
  | {
      ok: true;
      path: string;
      /** `false` when there is no such file; `config` is then empty. */
      exists: boolean;
      config: OpenClawConfig;
      /** The environment with the `env` block of the file added. */
      env: Env;
      /** Variables without a value; the keys that refer to them count as unset. */
      unresolved: UnresolvedReference[];
      warnings: string[];
    }
  | { ok: false; path: string; issues: ConfigIssue[] };

/**
 * Reads a config file, replaces `${VAR}`, and checks every key. Never rejects; the schema is loaded
 * only when there is a file to check.
 */
export async function loadConfig(options: ConfigFileOptions): Promise<LoadedConfig> {
  const { path, exists, config, env, unresolved, warnings, problem } =
    await readConfigLoosely(options);
  if (problem !== undefined) return { ok: false, path, issues: [problem] };
  if (!exists) return { ok: true, path, exists, config: {}, env, unresolved, warnings };
  const { validateConfig } = await import("./schema/validate.ts");
  const validation = validateConfig(config);
  return validation.ok
    ? { ok: true, path, exists, config: validation.config, env, unresolved, warnings }
    : { ok: false, path, issues: validation.issues };
}
