import type { Env } from "../env.ts";
import type { MigratedKeys } from "./migrate-keys.ts";
import type { MigrateStateOptions, MigrationReport } from "./migrate-state.ts";

// What migrates is loaded when it is called: few runs have anything to migrate.

/**
 * Rewrites the keys of earlier releases in a config file and leaves the rest of its text as it is; the
 * former text stays beside it. What is in included files stays. Doing it again does nothing. Not for
 * commands that only read.
 *
 * @throws {@link ConfigError} as `editConfigFile` does; `CONFIG_INVALID` when something else is wrong
 * with the file as well
 */
export async function migrateConfigKeys(path: string, env: Env): Promise<MigratedKeys> {
  return (await import("./migrate-keys.ts")).migrateKeys(path, env);
}

/**
 * Brings state of earlier releases to where this one looks for it: the state folder, the config file,
 * sessions, and credentials of WhatsApp. Nothing is deleted and nothing replaced; the former places stay
 * as links. When a step fails, those before it are taken back. Doing it again does nothing. Not for
 * commands that only read.
 */
export async function migrateState(options: MigrateStateOptions): Promise<MigrationReport> {
  return (await import("./migrate-state.ts")).migrateFolders(options);
}

/**
 * Takes a migration back, the last step first. What was changed since in a copied file is kept beside
 * the original.
 *
 * @param recordPath as {@link migrateState} gave it.
 * @returns one line for each step
 * @throws {@link ConfigError} `MIGRATION_NOT_UNDONE` when there is no record, or something is in the way
 */
export async function undoStateMigration(recordPath: string): Promise<string[]> {
  return (await import("./migrate-state.ts")).undoFolders(recordPath);
}
