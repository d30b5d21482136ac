import { existsSync } from "node:fs";
import type { CommandContext } from "../program/command-context.ts";

/** `openclaw config file`: where the config is, or would be. */
export function run(context: CommandContext): Promise<number> {
  const path = context.paths.configPath;
  context.answer({ path, exists: existsSync(path) }, () => path);
  return Promise.resolve(0);
}
