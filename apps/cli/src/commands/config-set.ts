import { editConfigFile, parseConfigPath, parseConfigText, loadKeyFacts } from "@openclaw/config";
import { tellingFailures } from "../config/config-failure.ts";
import { reportChange } from "../config/report-change.ts";
import { usageError } from "../errors.ts";
import type { CommandContext } from "../program/command-context.ts";
import { VERSION } from "../version.ts";

/** `openclaw config set <path> <value>`. */
export async function run(context: CommandContext): Promise<number> {
  const [text = ""] = context.args;
  await tellingFailures(async () => {
    const path = parseConfigPath(text);
    const edit = { path, value: await valueOf(context) };
    const confirmMs = context.integer("confirm");
    if (confirmMs !== undefined) {
      const [{ changeThroughGateway }, { reportConfirmed }] = await Promise.all([
        import("../config/through-gateway.ts"),
        import("../config/report-confirmed.ts"),
      ]);
      reportConfirmed(
        context,
        await changeThroughGateway(context, confirmMs, { edits: () => [edit] }),
      );
      return;
    }
    const edited = await editConfigFile(context.paths.configPath, [edit], {
      env: context.env,
      version: VERSION,
      dryRun: context.flag("dry-run"),
    });
    if (context.args[1] !== undefined && (await loadKeyFacts()).isSecretPath(path)) {
      context.say(
        "The secret is in the history of your shell now; --value-file - takes it from stdin.",
      );
    }
    await reportChange(context, edited, `Updated ${text}.`);
  });
  return 0;
}

/** The value that was given: JSON5 where it is any, else the text as it stands. */
async function valueOf(context: CommandContext): Promise<unknown> {
  const [, word] = context.args;
  if (context.text("value-file") !== undefined) {
    if (word !== undefined) throw usageError("Give the value or --value-file, not both.");
    const { readSecret } = await import("../remote/secret-file.ts");
    return readSecret(context, "value-file");
  }
  if (word === undefined) throw usageError("config set needs a value, or --value-file.");
  const parsed = await parseConfigText(word);
  // A blank text is an empty file, and here the text itself.
  if (parsed.ok && word.trim() !== "") return parsed.value;
  if (!context.json && !context.flag("strict-json")) return word;
  throw usageError(
    "the value is not JSON5.",
    `Quote a text twice, once for your shell: '"${word.replaceAll('"', String.raw`\"`)}"'`,
  );
}
