import { existsSync } from "node:fs";
import { configProblems } from "@openclaw/app-kit";
import { loadConfig } from "@openclaw/config";
import { CliError } from "../errors.ts";
import type { CommandContext } from "../program/command-context.ts";

/**
 * Stops a command when the config file is there and invalid, before it does anything.
 *
 * @throws {CliError} `cli_error` with one line for each problem
 */
export async function guardConfig({
  paths,
  env,
  commandLine,
}: Pick<CommandContext, "paths" | "env" | "commandLine">): Promise<void> {
  const path = paths.configPath;
  // Most machines that only use a Gateway have no file, and need not pay for the check of one.
  if (!existsSync(path)) return;
  const loaded = await loadConfig({ path, env });
  if (loaded.ok) return;
  throw new CliError("cli_error", `the config file is invalid: ${path}`, {
    hints: [...configProblems(loaded.issues), `Mend it: ${commandLine("doctor --fix")}`],
    fields: { kind: "config", issues: loaded.issues },
  });
}
