import type { Paths } from "@openclaw/config";
import type { CliIo } from "../io.ts";
import { usageError } from "../errors.ts";
import { createStyle, type Style, wantsColour } from "../output/style.ts";
import { parseDurationMs } from "../output/time.ts";
import type { OptionSpec, ParsedCommand } from "./command-spec.ts";
import { optionsOf } from "./command-spec.ts";

/** What a command gets: its parsed line, its surroundings, and the two ways to speak. */
export interface CommandContext {
  readonly io: CliIo;
  /** The environment with old names, profile and `.env` files taken in. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly paths: Paths;
  readonly args: readonly string[];
  /** `--json`: stdout holds one document and nothing else. */
  readonly json: boolean;
  /** Colours for stdout. */
  readonly style: Style;
  /** A number, a flag, a text by the long name of the option, default included. */
  integer(name: string): number | undefined;
  flag(name: string): boolean;
  text(name: string): string | undefined;
  list(name: string): readonly string[];
  /** Prints the answer: `document` with `--json`, else what `human` makes. */
  answer(document: unknown, human: () => string): void;
  /** Adds a line to the story on stderr. */
  say(line: string): void;
  /** A command line that the user can type: name and profile are put in front. */
  commandLine(words: string): string;
}

export interface ContextInput {
  io: CliIo;
  env: Readonly<Record<string, string | undefined>>;
  paths: Paths;
  profile: string | undefined;
  noColor: boolean;
  parsed: ParsedCommand;
}

/** @throws {CliError} `cli_error` when an option has a value that it cannot have. */
export function createContext(input: ContextInput): CommandContext {
  const { io, env, paths, parsed } = input;
  const specs = new Map(optionsOf(parsed.spec).map((spec) => [spec.name, spec]));
  const noColor = input.noColor || parsed.options["no-color"] === true;
  const style = createStyle(wantsColour({ sink: io.stdout, env, noColor }));
  const json = parsed.options["json"] === true;
  checkOptions(parsed, specs);

  const text = (name: string): string | undefined => {
    const value = parsed.options[name];
    if (typeof value === "string") return value;
    const fallback = specs.get(name)?.default;
    return fallback === undefined ? undefined : String(fallback);
  };
  return {
    io,
    env,
    paths,
    args: parsed.args,
    json,
    style,
    text,
    integer(name) {
      const value = text(name);
      return value === undefined ? undefined : parseNumber(specs.get(name), value);
    },
    flag: (name) => parsed.options[name] === true,
    list(name) {
      const value = parsed.options[name];
      if (typeof value === "string") return [value];
      return Array.isArray(value) ? value : [];
    },
    answer(document, human) {
      io.stdout.write(json ? `${JSON.stringify(document, undefined, 2)}\n` : withNewline(human()));
    },
    say(line) {
      io.stderr.write(`${line}\n`);
    },
    commandLine: (words) => commandLine(io, input.profile, words),
  };
}

/** See {@link CommandContext.commandLine}. */
export function commandLine(io: CliIo, profile: string | undefined, words: string): string {
  return [io.programName, ...(profile === undefined ? [] : ["--profile", profile]), words].join(
    " ",
  );
}

function checkOptions(parsed: ParsedCommand, specs: ReadonlyMap<string, OptionSpec>): void {
  for (const [name, value] of Object.entries(parsed.options)) {
    const spec = specs.get(name);
    if (spec === undefined || typeof value !== "string") continue;
    if (spec.kind === "integer" || spec.kind === "duration") parseNumber(spec, value);
    if (spec.choices !== undefined && !spec.choices.includes(value)) {
      const allowed = spec.choices.join(", ");
      throw usageError(`--${name} must be one of ${allowed}, not ${JSON.stringify(value)}.`);
    }
  }
  for (const spec of specs.values()) {
    if (spec.required === true && parsed.options[spec.name] === undefined) {
      throw usageError(`${parsed.path.join(" ")} needs --${spec.name}.`);
    }
  }
}

function parseNumber(spec: OptionSpec | undefined, text: string): number {
  const minimum = spec?.min ?? 1;
  const isDuration = spec?.kind === "duration";
  const value = isDuration ? parseDurationMs(text) : /^\d+$/.test(text) ? Number(text) : undefined;
  if (value === undefined || !Number.isSafeInteger(value) || value < minimum) {
    const wanted = isDuration
      ? `a duration such as 500ms, 10s, 5m or 7d`
      : `a whole number of at least ${minimum}`;
    throw usageError(`--${spec?.name ?? "?"} must be ${wanted}, not ${JSON.stringify(text)}.`);
  }
  return value;
}

function withNewline(text: string): string {
  return text === "" || text.endsWith("\n") ? text : `${text}\n`;
}
