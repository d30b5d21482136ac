import { existsSync } from "node:fs";
import { editConfigFile } from "@openclaw/config";
import type { CommandContext } from "../program/command-context.ts";
import { planNoRemote } from "../remote/plan-remote.ts";
import { remoteView } from "../remote/remote-view.ts";

/** `openclaw remote unset`: from now on commands go to this machine. */
export async function run(context: CommandContext): Promise<number> {
  const path = context.paths.configPath;
  // A file that is not there is not made for this.
  const edited = existsSync(path)
    ? await editConfigFile(path, planNoRemote, { env: context.env })
    : { path, changed: false, before: {}, backupPath: undefined };
  const document = {
    ok: true,
    changed: edited.changed,
    configPath: edited.path,
    backupPath: edited.backupPath ?? null,
    removed: remoteView(edited.before),
  };
  context.answer(document, () =>
    edited.changed
      ? [
          `Commands now go to the Gateway of this machine (${edited.path}).`,
          `Undo: ${undoLine(context, remoteView(edited.before))}`,
          ...(edited.backupPath === undefined
            ? []
            : [`The former config, with its secrets, is in ${edited.backupPath}.`]),
        ].join("\n")
      : "Nothing to change: no remote Gateway is configured.",
  );
  return 0;
}

function undoLine(context: CommandContext, remote: Record<string, unknown> | null): string {
  const place = remote?.["sshTarget"] ?? remote?.["url"];
  return context.commandLine(`remote set ${typeof place === "string" ? place : "<target>"}`);
}
