/** `--commands` names something that this node cannot serve. */
export class CommandsError extends Error {
  override readonly name = "CommandsError";
  /** One sentence that tells the user what to do next. */
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/**
 * The commands to serve: all, or those that are named.
 *
 * @throws {CommandsError} for a name that this node does not have, or for none
 */
export function chooseCommands<T extends { readonly name: string }>(
  commands: readonly T[],
  wanted: readonly string[] | undefined,
): readonly T[] {
  if (wanted === undefined) return commands;
  const known = new Set(commands.map(({ name }) => name));
  const unknown = wanted.find((name) => !known.has(name));
  if (unknown !== undefined || wanted.length === 0) {
    const what =
      unknown === undefined
        ? "names no command"
        : `names ${JSON.stringify(unknown)}, which this node does not have`;
    const message = `--commands ${what}`;
    throw new CommandsError(message, `It has: ${[...known].join(", ")}`);
  }
  return commands.filter(({ name }) => wanted.includes(name));
}
