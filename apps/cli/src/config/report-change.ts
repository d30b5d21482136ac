import { isObject } from "@openclaw/app-kit";
import {
  type ChangedConfig,
  type ConfigPath,
  diffConfigs,
  findSecrets,
  formatConfigPath,
  loadKeyFacts,
} from "@openclaw/config";
import type { CommandContext } from "../program/command-context.ts";
import { effectOf } from "./change-effect.ts";
import { shellWord } from "./shell-word.ts";

/**
 * Tells what was done to the config file, what it means, and how to undo it. `what` is that as a
 * sentence, such as "Updated gateway.port."
 */
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
    if (!edited.changed) return "Nothing to change: the file says so already.";
    if (isDryRun) return `Not done: ${what} Nothing was written. The result would be valid.`;
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
  if (change.before === undefined) {
    const leaf = onlyLeaf(change.path, change.after);
    return context.commandLine(`config unset ${shellWord(formatConfigPath(leaf))}`);
  }
  const { isSecretPath } = await loadKeyFacts();
  // A secret belongs into no command line.
  const isSecret = findSecrets(before, isSecretPath).some(
    (secret) => JSON.stringify(secret.slice(0, change.path.length)) === JSON.stringify(change.path),
  );
  if (isSecret) return wholeFile;
  return context.commandLine(`config set ${where} ${shellWord(valueWord(change.before))}`);
}

/**
 * The one key that came, where it brought the objects around it along: what is set beside it later is
 * not to go with it.
 */
function onlyLeaf(path: ConfigPath, value: unknown): ConfigPath {
  if (!isObject(value)) return path;
  const [key, ...others] = Object.keys(value);
  if (key === undefined || others.length > 0) return path;
  return onlyLeaf([...path, key], value[key]);
}

function valueWord(value: unknown): string {
  return typeof value === "string" &&
    !/^[\s\d"'[{+.-]|^(?:true|false|null|NaN|Infinity)$/u.test(value)
    ? value
    : JSON.stringify(value);
}
