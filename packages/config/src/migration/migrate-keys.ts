import { editConfigFile } from "../edit/edit-config-file.ts";
import type { Env } from "../env.ts";
import { type LegacyKey, planLegacyKeys } from "./legacy-keys.ts";

/** What {@link migrateConfigKeys} did. */
export interface MigratedKeys {
  readonly keys: readonly LegacyKey[];
  /** The former text; absent when nothing was to do. */
  readonly backupPath?: string;
}

/**
 * Rewrites the keys of earlier releases in a config file and leaves the rest of its text as it is. What
 * is in included files stays. Doing it again does nothing. Not for commands that only read.
 *
 * @throws {@link ConfigError} as `editConfigFile` does; `CONFIG_INVALID` when something else is wrong
 * with the file as well
 */
export async function migrateConfigKeys(path: string, env: Env): Promise<MigratedKeys> {
  let keys: readonly LegacyKey[] = [];
  const { backupPath } = await editConfigFile(
    path,
    (config) => {
      const plan = planLegacyKeys(config);
      keys = plan.keys;
      return plan.edits;
    },
    { env },
  );
  return backupPath === undefined ? { keys } : { keys, backupPath };
}
