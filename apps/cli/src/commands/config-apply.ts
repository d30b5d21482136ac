import {
  readConfigText,
  replaceConfigText,
  restoreConfigText,
  parseConfigText,
} from "@openclaw/config";
import { tellingFailures } from "../config/config-failure.ts";
import { readInput } from "../config/read-input.ts";
import { reportChange } from "../config/report-change.ts";
import type { CommandContext } from "../program/command-context.ts";
import { VERSION } from "../version.ts";

/** `openclaw config apply <file>`: the whole file anew. */
export async function run(context: CommandContext): Promise<number> {
  const [source = ""] = context.args;
  const raw = await readInput(context, source);
  await tellingFailures(async () => {
    const confirmMs = context.integer("confirm");
    if (confirmMs !== undefined) {
      const [{ changeThroughGateway }, { reportConfirmed }] = await Promise.all([
        import("../config/through-gateway.ts"),
        import("../config/report-confirmed.ts"),
      ]);
      reportConfirmed(context, await changeThroughGateway(context, confirmMs, { raw }));
      return;
    }
    const { configPath } = context.paths;
    const baseText = await readConfigText(configPath);
    const former = await parseConfigText(baseText ?? "");
    // A text that was read with its secrets hidden keeps them.
    const text = await restoreConfigText(raw, former.ok ? former.value : undefined);
    const edited = await replaceConfigText(configPath, text, {
      env: context.env,
      version: VERSION,
      dryRun: context.flag("dry-run"),
      ...(baseText === undefined ? {} : { baseText }),
    });
    await reportChange(context, edited, `Applied ${source === "-" ? "the config" : source}.`);
  });
  return 0;
}
