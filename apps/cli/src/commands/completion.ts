import { basename } from "node:path";
import { usageError } from "../errors.ts";
import type { CommandContext } from "../program/command-context.ts";
import { commandTree } from "../program/command-tree.ts";
import { completionScript, type Shell, SHELLS } from "../program/completion-scripts.ts";

/** `openclaw completion --shell <shell>`. */
export function run(context: CommandContext): Promise<number> {
  const asked = context.text("shell") ?? basename(context.env["SHELL"] ?? "");
  const shell: Shell | undefined = SHELLS.find((name) => name === asked);
  if (shell === undefined) {
    throw usageError(`Which shell? Say --shell ${SHELLS.join(", --shell ")}.`);
  }
  context.io.stdout.write(completionScript(shell, commandTree, context.io.programName));
  return Promise.resolve(0);
}
