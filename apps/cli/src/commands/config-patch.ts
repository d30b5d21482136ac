import { asObject, isObject } from "@openclaw/app-kit";
import {
  type ConfigEdit,
  diffConfigs,
  editConfigFile,
  mergePatch,
  parseConfigText,
  restoreSecrets,
} from "@openclaw/config";
import { tellingFailures } from "../config/config-failure.ts";
import { readInput } from "../config/read-input.ts";
import { reportChange } from "../config/report-change.ts";
import { usageError } from "../errors.ts";
import type { CommandContext } from "../program/command-context.ts";
import { VERSION } from "../version.ts";

/** `openclaw config patch <file>`: a merge patch; `null` deletes a key. */
export async function run(context: CommandContext): Promise<number> {
  const patch = await readPatch(context);
  const edits = (config: unknown): ConfigEdit[] => {
    const after = restoreSecrets(mergePatch(asObject(config), patch), config);
    return diffConfigs(config, after).map(({ path, after: value }) => ({ path, value }));
  };
  await tellingFailures(async () => {
    const confirmMs = context.integer("confirm");
    if (confirmMs !== undefined) {
      const [{ changeThroughGateway }, { reportConfirmed }] = await Promise.all([
        import("../config/through-gateway.ts"),
        import("../config/report-confirmed.ts"),
      ]);
      reportConfirmed(context, await changeThroughGateway(context, confirmMs, { edits }));
      return;
    }
    const edited = await editConfigFile(context.paths.configPath, edits, {
      env: context.env,
      version: VERSION,
      dryRun: context.flag("dry-run"),
    });
    await reportChange(context, edited, `Patched ${edited.path}.`);
  });
  return 0;
}

async function readPatch(context: CommandContext): Promise<object> {
  const path = context.flag("stdin") ? "-" : (context.text("file") ?? context.args[0]);
  if (path === undefined) throw usageError("config patch needs a file, or - for stdin.");
  const parsed = await parseConfigText(await readInput(context, path));
  if (!parsed.ok) throw usageError(`the patch is ${parsed.issue.message}.`);
  if (isObject(parsed.value)) return parsed.value;
  throw usageError("the patch is not an object.");
}
