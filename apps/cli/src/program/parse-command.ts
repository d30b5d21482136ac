import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { usageError } from "../errors.ts";
import type { CommandSpec, OptionValues, ParsedCommand } from "./command-spec.ts";
import { optionsOf } from "./command-spec.ts";
import { asksForHelp, findCommand } from "./find-command.ts";

export type ParseOutcome =
  | { readonly kind: "command"; readonly command: ParsedCommand }
  | { readonly kind: "help"; readonly spec: CommandSpec; readonly path: readonly string[] };

/**
 * Parses a command line. The plain case needs no library; whatever is unusual (a typing error, a
 * command line within the command line) goes to commander, which is loaded then.
 *
 * @throws {CliError} `cli_error` with the word that is wrong and the nearest that is right.
 */
export async function parseCommand(
  root: CommandSpec,
  argv: readonly string[],
): Promise<ParseOutcome> {
  const plain = parsePlain(root, argv);
  if (plain !== undefined) return plain;
  const { parseWithCommander } = await import("./parse-with-commander.ts");
  const outcome = parseWithCommander(root, argv);
  if (outcome.kind === "unusable")
    throw unusableCommandLine(outcome.message, findCommand(root, argv).path);
  return outcome;
}

/** The plain case, or `undefined` when it is not one. */
export function parsePlain(root: CommandSpec, argv: readonly string[]): ParseOutcome | undefined {
  if (argv[0] === "help") {
    const { spec, path, rest } = findCommand(root, [...argv.slice(1), "--help"]);
    return rest.length === 1 ? { kind: "help", spec, path } : undefined;
  }
  const { spec, path, rest } = findCommand(root, argv);
  if (spec.commands !== undefined) {
    const isHelp = rest.length === 0 || rest[0] === "--help" || rest[0] === "-h";
    return isHelp ? { kind: "help", spec, path } : undefined;
  }
  const positionals = spec.arguments ?? [];
  // Options behind the first word of `rest` belong to that other command line.
  if (positionals.some((argument) => argument.rest === true)) return undefined;
  if (asksForHelp(rest)) return { kind: "help", spec, path };
  const parsed = tryParseArgs(spec, rest);
  if (parsed === undefined) return undefined;
  const needed = positionals.filter((argument) => argument.required === true).length;
  if (parsed.args.length < needed || parsed.args.length > positionals.length) return undefined;
  return { kind: "command", command: { spec, path, ...parsed } };
}

function tryParseArgs(
  spec: CommandSpec,
  rest: readonly string[],
): { args: string[]; options: OptionValues } | undefined {
  const config: ParseArgsOptionsConfig = {};
  for (const option of optionsOf(spec)) {
    config[option.name] = {
      type: option.kind === "flag" ? "boolean" : "string",
      ...(option.kind === "list" ? { multiple: true } : {}),
      ...(option.short === undefined ? {} : { short: option.short }),
    };
  }
  try {
    const { values, positionals } = parseArgs({
      args: [...rest],
      options: config,
      allowPositionals: true,
    });
    // Strings, booleans (only ever true here) and lists of strings: what the config above allows.
    return { args: positionals, options: { ...(values as OptionValues) } };
  } catch {
    return undefined;
  }
}

/** What commander says, in this program's words, and where it stands what is right. */
function unusableCommandLine(message: string, path: readonly string[]): Error {
  const [what = "", suggestion] = message
    .replace(/^error: /, "")
    .trim()
    .split("\n");
  return usageError(
    what,
    suggestion?.replace(/^\((.*)\)$/, "$1") ?? `See: ${["openclaw", ...path, "--help"].join(" ")}`,
  );
}
