import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigError } from "../config-error.ts";
import { readEnv } from "../env.ts";
import { isObject } from "../json.ts";
import { describeStep, doStep, type MigrationStep, undoStep } from "./migration-step.ts";
import { planStateMigration, type StateMigrationOptions } from "./plan-state-migration.ts";

/** Options of `migrateState`. */
export interface MigrateStateOptions extends StateMigrationOptions {
  /** Only tells what it would do. @default false */
  isDryRun?: boolean;
}

/** What `migrateState` did, or would do. */
export interface MigrationReport {
  /** One line each, without the full stop. */
  readonly lines: readonly string[];
  readonly warnings: readonly string[];
  /** For `undoStateMigration`; absent when nothing was done. */
  readonly recordPath?: string;
}

const RECORD_NAME = "migration.json";

/** See `migrateState`. */
export async function migrateFolders(options: MigrateStateOptions): Promise<MigrationReport> {
  const { steps, warnings } = await planStateMigration(options);
  const lines = steps.map(describeStep);
  if (options.isDryRun === true || steps.length === 0) return { lines, warnings };
  const done: MigrationStep[] = [];
  try {
    for (const step of steps) {
      // Each builds on the one before.
      // oxlint-disable-next-line no-await-in-loop
      await doStep(step);
      done.push(step);
    }
  } catch (error) {
    await undoSteps(done);
    const why = error instanceof Error ? error.message : String(error);
    const failed = describeStep(steps[done.length] as MigrationStep);
    return {
      lines: [],
      warnings: [...warnings, `Nothing was migrated, since what ${failed} failed: ${why}`],
    };
  }
  const recordPath = await writeRecord(options, steps);
  return { lines, warnings, recordPath };
}

/** See `undoStateMigration`. */
export async function undoFolders(recordPath: string): Promise<string[]> {
  let steps: MigrationStep[];
  try {
    steps = readSteps(JSON.parse(await readFile(recordPath, "utf8")));
  } catch (error) {
    throw notUndone(recordPath, error);
  }
  // It lies in a folder that is about to be moved.
  await rm(recordPath);
  let left = steps;
  try {
    for (; left.length > 0; left = left.slice(0, -1)) {
      // Each was built on the one before.
      // oxlint-disable-next-line no-await-in-loop
      await undoStep(left.at(-1) as MigrationStep);
    }
  } catch (error) {
    // What is still to be done can be tried again when nothing is in the way any more.
    await keepRecord(recordPath, left).catch(() => undefined);
    throw notUndone(recordPath, error);
  }
  return steps.toReversed().map((step) => `takes back: ${describeStep(step)}`);
}

async function undoSteps(steps: readonly MigrationStep[]): Promise<void> {
  for (const step of steps.toReversed()) {
    // Each was built on the one before.
    // oxlint-disable-next-line no-await-in-loop
    await undoStep(step);
  }
}

/** Later migrations are added to the record, so that all of them can be taken back. */
async function writeRecord(
  { env, home }: StateMigrationOptions,
  steps: readonly MigrationStep[],
): Promise<string> {
  const stateDir = readEnv(env, "OPENCLAW_STATE_DIR")?.value ?? join(home, ".openclaw");
  const path = join(stateDir, RECORD_NAME);
  const earlier = await readFile(path, "utf8").then(
    (text) => readSteps(JSON.parse(text)),
    () => [],
  );
  await keepRecord(path, [...earlier, ...steps]);
  return path;
}

async function keepRecord(path: string, steps: readonly MigrationStep[]): Promise<void> {
  const record = { version: 1, steps };
  await writeFile(path, `${JSON.stringify(record, undefined, 2)}\n`, { mode: 0o600 });
}

function readSteps(record: unknown): MigrationStep[] {
  const steps = isObject(record) ? record["steps"] : undefined;
  const kinds = ["folder", "move", "copy", "link"];
  if (
    !Array.isArray(steps) ||
    !steps.every((step) => isObject(step) && kinds.includes(String(step["kind"])))
  ) {
    throw new Error("it is no record of a migration");
  }
  // Written by this program, into a folder that nobody else can write to.
  return steps as MigrationStep[];
}

function notUndone(recordPath: string, cause: unknown): ConfigError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new ConfigError("MIGRATION_NOT_UNDONE", `cannot take back ${recordPath}: ${why}`, {
    hint: "Move the files by hand; the links show where they were.",
    cause,
  });
}
