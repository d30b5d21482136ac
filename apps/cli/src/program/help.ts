import type { Style } from "../output/style.ts";
import { displayWidth, wrapText } from "../output/text.ts";
import type { CommandSpec, OptionKind, OptionSpec } from "./command-spec.ts";

export interface HelpInput {
  readonly spec: CommandSpec;
  readonly path: readonly string[];
  readonly programName: string;
  readonly style: Style;
  /** Width of the terminal. @default 100 */
  readonly columns?: number | undefined;
}

const MAX_WIDTH = 100;
const MIN_WIDTH = 60;
const INDENT = "  ";

/** The help of one command: what it does, examples, then the reference. */
export function renderHelp({ spec, path, programName, style, columns }: HelpInput): string {
  const width = Math.max(MIN_WIDTH, Math.min(columns ?? MAX_WIDTH, MAX_WIDTH));
  const name = [programName, ...path].join(" ");
  const sections = [
    `${style.bold(name)}: ${spec.summary}\n`,
    ...(spec.description === undefined
      ? []
      : [`${wrapText(spec.description, width).join("\n")}\n`]),
    section("Examples", exampleLines(spec, programName, style), style),
    section("Usage", [`${name}${usageOf(spec)}`], style),
    section("Commands", pairs(commandPairs(spec), width), style),
    section("Arguments", pairs(argumentPairs(spec), width), style),
    section("Options", pairs(optionPairs(spec, path.length === 0), width), style),
  ];
  if (spec.commands !== undefined) {
    sections.push(
      `${style.dim(`Run "${name} <command> --help" for examples and options of a command.`)}\n`,
    );
  }
  return sections.filter((text) => text !== "").join("\n");
}

function exampleLines(spec: CommandSpec, programName: string, style: Style): string[] {
  return (spec.examples ?? []).flatMap(({ command, says }) => [
    style.dim(`# ${says}`),
    `${programName} ${command}`,
  ]);
}

function usageOf(spec: CommandSpec): string {
  if (spec.commands !== undefined)
    return spec.defaultCommand === undefined ? " <command>" : " [command]";
  const words = (spec.arguments ?? []).map(({ name, required, rest }) => {
    const shown = rest === true ? `${name}...` : name;
    return required === true ? ` <${shown}>` : ` [${shown}]`;
  });
  return ` [options]${words.join("")}`;
}

type Pair = readonly [term: string, text: string];

function commandPairs(spec: CommandSpec): Pair[] {
  return (spec.commands ?? []).map((command) => {
    const isDefault = command.name === spec.defaultCommand ? " (default)" : "";
    return [command.name, `${command.summary}${isDefault}`];
  });
}

function argumentPairs(spec: CommandSpec): Pair[] {
  return (spec.arguments ?? []).map(({ name, description }) => [name, description]);
}

function optionPairs(spec: CommandSpec, isRoot: boolean): Pair[] {
  const own = (spec.options ?? [])
    .filter((option) => option.hidden !== true)
    .map((option): Pair => [optionTerm(option), optionText(option)]);
  const help: Pair = ["-h, --help", "Show this help"];
  return isRoot ? [...own, help] : [...own, ["    --no-color", "No colours"], help];
}

function optionTerm(option: OptionSpec): string {
  const short = option.short === undefined ? "    " : `-${option.short}, `;
  const value = option.kind === "flag" ? "" : ` <${option.value ?? PLACEHOLDERS[option.kind]}>`;
  return `${short}--${option.name}${value}`;
}

const PLACEHOLDERS: Readonly<Record<OptionKind, string>> = {
  flag: "",
  text: "text",
  integer: "n",
  duration: "duration",
  list: "value",
};

function optionText(option: OptionSpec): string {
  const notes = [
    ...(option.choices === undefined ? [] : [option.choices.join(", ")]),
    ...(option.required === true ? ["required"] : []),
    ...(option.kind === "list" ? ["repeatable"] : []),
    ...(option.default === undefined ? [] : [`default ${option.default}`]),
  ];
  return notes.length === 0 ? option.description : `${option.description} (${notes.join("; ")})`;
}

function pairs(entries: readonly Pair[], width: number): string[] {
  const termWidth = Math.max(0, ...entries.map(([term]) => displayWidth(term)));
  const textWidth = Math.max(20, width - termWidth - 2 * INDENT.length);
  return entries.flatMap(([term, text]) =>
    wrapText(text, textWidth).map((line, index) => {
      const left = index === 0 ? term : "";
      return `${left}${" ".repeat(termWidth - displayWidth(left))}${INDENT}${line}`;
    }),
  );
}

function section(title: string, lines: readonly string[], style: Style): string {
  if (lines.length === 0) return "";
  return `${style.bold(title)}\n${lines.map((line) => `${INDENT}${line}\n`).join("")}`;
}
