import type { ProgramIo } from "@openclaw/app-kit";
import {
  ConfigError,
  type Env,
  isEnvSwitchOn,
  loadConfig,
  migrateConfigKeys,
  migrateState,
  type Paths,
  resolvePaths,
} from "@openclaw/config";

export interface MigrateInput {
  readonly io: Pick<ProgramIo, "homedir" | "cwd" | "stderr">;
  readonly env: Env;
  readonly paths: Paths;
  /** Name under which the program was started. @default "openclaw" */
  readonly programName?: string | undefined;
}

/**
 * Brings state and config of earlier releases to where and how this one looks for them, before anything
 * is read: one line for each step, and how to take it back. What cannot be moved stays as it is and is
 * told. Where everything is declared elsewhere (`OPENCLAW_NIX_MODE`) nothing is done.
 *
 * @returns the paths that count from now on.
 */
export async function migrateAtStart(input: MigrateInput): Promise<Paths> {
  if (isEnvSwitchOn(input.env, "OPENCLAW_NIX_MODE")) return input.paths;
  const paths = await migrateFolders(input);
  await migrateKeys({ ...input, paths });
  return paths;
}

async function migrateFolders({
  io,
  env,
  paths,
  programName = "openclaw",
}: MigrateInput): Promise<Paths> {
  const say = (line: string): void => void io.stderr.write(`${line}\n`);
  const { home, profile } = paths;
  const { lines, warnings, recordPath } = await migrateState({ env, home, programName });
  for (const warning of warnings) say(`Warning: ${warning}`);
  if (recordPath === undefined) return paths;
  for (const line of lines) say(`Migration: ${line}`);
  const program = [programName, ...(profile === undefined ? [] : ["--profile", profile])].join(" ");
  say(`Undo: ${program} doctor --undo-migration`);
  return resolvePaths({ env, homedir: io.homedir, cwd: io.cwd, profile });
}

async function migrateKeys({ io, env, paths: { configPath } }: MigrateInput): Promise<void> {
  const loaded = await loadConfig({ path: configPath, env });
  // A config that is right has no former keys, and is not touched.
  if (loaded.ok || loaded.legacy.length === 0) return;
  try {
    const { keys, backupPath } = await migrateConfigKeys(configPath, env);
    if (backupPath === undefined) return;
    for (const { path, to } of keys) {
      const what = to === undefined ? `takes out ${path}` : `moves ${path} to ${to}`;
      io.stderr.write(`Migration: ${what} in ${configPath}\n`);
    }
    io.stderr.write(`Undo: cp ${backupPath} ${configPath}\n`);
  } catch (error) {
    // Something else is wrong as well: the start refuses, and says what.
    if (!(error instanceof ConfigError)) throw error;
  }
}
