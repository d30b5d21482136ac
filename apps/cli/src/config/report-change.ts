import {
  type ChangedConfig,
  diffConfigs,
  findSecrets,
  formatConfigPath,
  loadKeyFacts,
} from "@openclaw/config";
import type { CommandContext } from "../program/command-context.ts";
import { effectOf } from "./change-effect.ts";
import { shellWord } from "./shell-word.ts";

/** Tells what was done to the config file, what it means, and how to undo it. */
export async function reportChange(
  context: CommandContext,
  edited: ChangedConfig,
  what: string,
): Promise<void> {
  const changes = diffConfigs(edited.before, edited.after);
  const paths = changes.map(({ path }) => path);
  const isDryRun = context.flag("dry-run");
  const effect = await effectOf(context, paths, edited.after);
  const document = {
    ok: true,
    changed: edited.changed && !isDryRun,
    dryRun: isDryRun,
    path: edited.path,
    backupPath: edited.backupPath ?? null,
    changedPaths: paths.map(formatConfigPath),
    needs: effect.needs,
    gateway: effect.gateway,
  };
  const undo = await undoLine(context, edited);
  context.answer(document, () => {
    if (!edited.changed) return `Nothing to change: ${what} is so already.`;
    if (isDryRun) return `${what} would be changed. Nothing was written. The result is valid.`;
    return [`${what} ${effect.sentence}`, `Undo: ${undo}`].join("\n");
  });
}

/** One command for one key, else the former file. */
async function undoLine(
  context: CommandContext,
  { before, after, backupPath, path }: ChangedConfig,
): Promise<string> {
  const [change, ...others] = diffConfigs(before, after);
  const wholeFile =
    backupPath === undefined
      ? `rm ${shellWord(path)}`
      : `cp ${shellWord(backupPath)} ${shellWord(path)}`;
  if (change === undefined || others.length > 0) return wholeFile;
  const where = shellWord(formatConfigPath(change.path));
  if (change.before === undefined) return context.commandLine(`config unset ${where}`);
  const { isSecretPath } = await loadKeyFacts();
  // A secret belongs into no command line.
  const isSecret = findSecrets(before, isSecretPath).some(
    (secret) => JSON.stringify(secret.slice(0, change.path.length)) === JSON.stringify(change.path),
  );
  if (isSecret) return wholeFile;
  return context.commandLine(`config set ${where} ${shellWord(valueWord(change.before))}`);
}

function valueWord(value: unknown): string {
  return typeof value === "string" &&
    !/^[\s\d"'[{+.-]|^(?:true|false|null|NaN|Infinity)$/u.test(value)
    ? value
    : JSON.stringify(value);
}
