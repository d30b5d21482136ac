import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  applyProfile,
  type Env,
  loadDotEnv,
  normalizeEnv,
  type Paths,
  resolvePaths,
} from "@openclaw/config";
import type { ProgramIo } from "./program-io.ts";

/** The environment and the paths that count for one run. */
export interface PreparedEnvironment {
  /** With old names, `.env` files and the profile taken in. */
  env: Env;
  paths: Paths;
  /** For stderr, one line each; they name variables and files, never values. */
  warnings: readonly string[];
}

/**
 * Takes old variable names, the `.env` files and the profile into the environment. The caller's
 * environment stays as it was.
 *
 * @param profile asked for by a flag; else `OPENCLAW_PROFILE` says.
 * @throws {ConfigError} `INVALID_PROFILE` when `OPENCLAW_PROFILE` is no name of a profile.
 */
export async function prepareEnvironment(
  { env: given, homedir, cwd }: Pick<ProgramIo, "env" | "homedir" | "cwd">,
  profile: string | undefined,
): Promise<PreparedEnvironment> {
  const normalized = normalizeEnv(given);
  const { stateDir } = resolvePaths({ env: normalized.env, homedir, cwd, profile });
  // Most machines have none, and need not load what reads one.
  const hasDotEnv = [cwd, stateDir].some((folder) => existsSync(join(folder, ".env")));
  const dotEnv = hasDotEnv
    ? await loadDotEnv({ env: normalized.env, cwd, stateDir })
    : { env: normalized.env, warnings: [] };
  // Asked again, since a `.env` file of the working directory may move the home directory.
  const paths = resolvePaths({ env: dotEnv.env, homedir, cwd, profile });
  const env =
    paths.profile === undefined ? dotEnv.env : applyProfile(dotEnv.env, paths.profile, paths.home);
  return { env, paths, warnings: [...normalized.warnings, ...dotEnv.warnings] };
}
