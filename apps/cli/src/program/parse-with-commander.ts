import { Argument, Command, CommanderError, Option } from "commander";
import type { CommandSpec, OptionSpec, OptionValues } from "./command-spec.ts";
import { optionsOf } from "./command-spec.ts";
import { findCommand } from "./find-command.ts";
import type { ParseOutcome } from "./parse-command.ts";

/** What commander found wrong, in its words. A value, since the build keeps this file on its own. */
export interface UnusableCommandLine {
  readonly kind: "unusable";
  readonly message: string;
}

/** Parses with commander, from the same table as the plain parser. */
export function parseWithCommander(
  root: CommandSpec,
  argv: readonly string[],
): ParseOutcome | UnusableCommandLine {
  let outcome: ParseOutcome | UnusableCommandLine | undefined;
  const program = build(root, [], (found) => {
    outcome = found;
  });
  const { path, rest } = findCommand(root, argv);
  try {
    program.parse([...path, ...rest], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    outcome ??= { kind: "unusable", message: error.message };
  }
  return outcome ?? { kind: "unusable", message: "nothing to do" };
}

function build(
  spec: CommandSpec,
  path: readonly string[],
  report: (outcome: ParseOutcome) => void,
): Command {
  const command = new Command(spec.name);
  command.exitOverride().configureOutput({ writeOut() {}, writeErr() {}, outputError() {} });
  command.helpCommand(false).allowExcessArguments(false).showSuggestionAfterError(true);
  command.enablePositionalOptions();
  command.configureHelp({
    formatHelp() {
      report({ kind: "help", spec, path });
      return "";
    },
  });
  for (const child of spec.commands ?? []) {
    command.addCommand(build(child, [...path, child.name], report));
  }
  if (spec.commands !== undefined) return command;

  const options = optionsOf(spec).map((option) => ({ option, parsed: toOption(option) }));
  for (const { parsed } of options) command.addOption(parsed);
  for (const { name, description, required = false, rest = false } of spec.arguments ?? []) {
    const shown = `${name}${rest ? "..." : ""}`;
    command.addArgument(new Argument(required ? `<${shown}>` : `[${shown}]`, description));
    if (rest) command.passThroughOptions();
  }
  command.action(() => {
    const values: Record<string, OptionValues[string]> = {};
    for (const { option, parsed } of options) {
      const value: unknown = command.getOptionValue(parsed.attributeName());
      if (command.getOptionValueSource(parsed.attributeName()) !== "cli") continue;
      // A negated flag is stored as `false` under the positive name.
      if (option.kind === "flag") {
        if (value === !parsed.negate) values[option.name] = true;
      } else if (typeof value === "string" || Array.isArray(value)) {
        values[option.name] = value as string | string[];
      }
    }
    report({ kind: "command", command: { spec, path, args: command.args, options: values } });
  });
  return command;
}

function toOption(spec: OptionSpec): Option {
  const short = spec.short === undefined ? "" : `-${spec.short}, `;
  const value = spec.kind === "flag" ? "" : " <value>";
  const option = new Option(`${short}--${spec.name}${value}`, spec.description);
  if (spec.kind === "list") {
    option.argParser((text: string, previous: string[] | undefined) => [...(previous ?? []), text]);
  }
  return option;
}
