import type { CommandSpec } from "./command-spec.ts";

export interface FoundCommand {
  readonly spec: CommandSpec;
  readonly path: readonly string[];
  /** What follows the command's words. */
  readonly rest: readonly string[];
}

/** Follows the words at the front of `argv` down the tree, a group's default command included. */
export function findCommand(root: CommandSpec, argv: readonly string[]): FoundCommand {
  let spec = root;
  let index = 0;
  const path: string[] = [];
  for (; spec.commands !== undefined; index += 1) {
    const next = spec.commands.find((command) => command.name === argv[index]);
    if (next === undefined) break;
    spec = next;
    path.push(next.name);
  }
  const rest = argv.slice(index);
  const fallback = spec.commands?.find((command) => command.name === spec.defaultCommand);
  const word = rest[0];
  const isBare = word === undefined || (word.startsWith("-") && !asksForHelp(rest));
  if (fallback !== undefined && isBare)
    return { spec: fallback, path: [...path, fallback.name], rest };
  return { spec, path, rest };
}

/** Whether `--help` or `-h` stands among the options. */
export function asksForHelp(words: readonly string[]): boolean {
  for (const word of words) {
    if (word === "--") return false;
    if (word === "--help" || word === "-h") return true;
  }
  return false;
}
