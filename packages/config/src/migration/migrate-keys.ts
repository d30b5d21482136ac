import { editConfigFile } from "../edit/edit-config-file.ts";
import type { Env } from "../env.ts";
import { type LegacyKey, planLegacyKeys } from "./legacy-keys.ts";

/** What `migrateConfigKeys` did. */
export interface MigratedKeys {
  readonly keys: readonly LegacyKey[];
  /** The former text; absent when nothing was to do. */
  readonly backupPath?: string;
}

/** See `migrateConfigKeys`. */
export async function migrateKeys(path: string, env: Env): Promise<MigratedKeys> {
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
