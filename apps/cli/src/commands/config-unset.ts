import { editConfigFile, parseConfigPath, valueAtPath } from "@openclaw/config";
import { pathNotFound, tellingFailures } from "../config/config-failure.ts";
import { reportChange } from "../config/report-change.ts";
import type { CommandContext } from "../program/command-context.ts";
import { VERSION } from "../version.ts";

/** `openclaw config unset <path>`. */
export async function run(context: CommandContext): Promise<number> {
  const [text = ""] = context.args;
  await tellingFailures(async () => {
    const path = parseConfigPath(text);
    const edited = await editConfigFile(context.paths.configPath, [{ path, value: undefined }], {
      env: context.env,
      version: VERSION,
      dryRun: context.flag("dry-run"),
    });
    if (valueAtPath(edited.before, path) === undefined) throw pathNotFound(text);
    await reportChange(context, edited, `Removed ${text}.`);
  });
  return 0;
}
