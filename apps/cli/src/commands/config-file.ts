import { existsSync } from "node:fs";
import { findRivalConfigs } from "@openclaw/config";
import type { CommandContext } from "../program/command-context.ts";

/** `openclaw config file`: where the config is, or would be. */
export async function run(context: CommandContext): Promise<number> {
  const { configPath: path, configCandidates } = context.paths;
  for (const rival of await findRivalConfigs(path, configCandidates)) {
    context.say(`Warning: ${rival} says something else, and is not read.`);
  }
  context.answer({ path, exists: existsSync(path) }, () => path);
  return 0;
}
