import type { CommandContext } from "./command-context.ts";

/** What an option takes. */
export type OptionKind =
  /** Nothing: it is there or not. */
  | "flag"
  | "text"
  /** A whole number. */
  | "integer"
  /** `250`, `10s`, `5m`, `7d`; milliseconds when bare. */
  | "duration"
  /** Given once or several times. */
  | "list";

export interface OptionSpec {
  /** The long name without dashes; `no-probe` for `--no-probe`. */
  readonly name: string;
  readonly kind: OptionKind;
  /** One letter, for `-x`. */
  readonly short?: string;
  /** Placeholder of the value in the help. @default by kind */
  readonly value?: string;
  readonly description: string;
  /** What holds when it is absent; commands read it through the context. */
  readonly default?: string | number;
  readonly choices?: readonly string[];
  /** Smallest value of an `integer` or `duration`. @default 1 */
  readonly min?: number;
  readonly required?: boolean;
  /** Works, but is not shown. */
  readonly hidden?: boolean;
}

export interface ArgumentSpec {
  readonly name: string;
  readonly description: string;
  readonly required?: boolean;
  /** Takes everything that is left, options included. */
  readonly rest?: boolean;
  /** What shells offer for it: the hosts of the user's ssh config. */
  readonly completes?: "ssh-host";
}

export interface Example {
  /** Without the program's name. */
  readonly command: string;
  readonly says: string;
}

/** What a command module exports; it is loaded when the command is used. */
export interface CommandModule {
  /** Returns the exit code. Failures are thrown as `CliError`. */
  run(context: CommandContext): Promise<number>;
}

export interface CommandSpec {
  readonly name: string;
  /** One line, a verb first, no full stop. */
  readonly summary: string;
  /** A paragraph more, for the command's own help. */
  readonly description?: string;
  readonly examples?: readonly Example[];
  readonly arguments?: readonly ArgumentSpec[];
  readonly options?: readonly OptionSpec[];
  /** A group; then there are no arguments and no options. */
  readonly commands?: readonly CommandSpec[];
  /** The member that a group called bare stands for; without one it shows its help. */
  readonly defaultCommand?: string;
  /** Begins the line that tells of a failure, except for one of usage. @default "Error:" */
  readonly failurePrefix?: string;
  /** Works with a config file that is invalid. */
  readonly toleratesBrokenConfig?: boolean;
  /** Prints what a program reads, also where stdout is a terminal. */
  readonly hidesBanner?: boolean;
  readonly load?: () => Promise<CommandModule>;
}

/** Values as the parser found them, by long name. */
export type OptionValues = Readonly<Record<string, string | true | readonly string[] | undefined>>;

export interface ParsedCommand {
  readonly spec: CommandSpec;
  /** The words that led here, for example `["nodes", "list"]`. */
  readonly path: readonly string[];
  readonly args: readonly string[];
  readonly options: OptionValues;
}

/** Options of every command. */
export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  { name: "no-color", kind: "flag", description: "No colours", hidden: true },
];

export function optionsOf(spec: CommandSpec): readonly OptionSpec[] {
  return [...(spec.options ?? []), ...GLOBAL_OPTIONS];
}
