import type { CommandContext } from "../program/command-context.ts";

/** What `--commands` names; undefined means all. */
export function commandNames(context: CommandContext): string[] | undefined {
  return context
    .text("commands")
    ?.split(",")
    .map((name) => name.trim());
}
