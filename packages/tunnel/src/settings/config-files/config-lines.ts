import { splitArguments } from "./split-arguments.ts";
import { invalidConfig } from "../ssh-complaints.ts";

/** One line of ssh_config that says something. */
export interface ConfigLine {
  readonly file: string;
  readonly line: number;
  /** As it is written, for messages. */
  readonly name: string;
  /** In lower case. */
  readonly keyword: string;
  readonly words: readonly string[];
  /** Everything after the keyword, for commands. */
  readonly rest: string;
}

type Parse = (typeof import("ssh-config"))["parse"];

/**
 * The lines of a file, comments and empty ones left out.
 *
 * The library `ssh-config` is given one line at a time, which keeps its number and keeps a keyword
 * without a value from taking the next line for one. From it come the kind of the line, the keyword
 * and where its arguments begin. The arguments are split here: the library takes a `#` inside of a
 * word for a comment and knows neither single quotes nor words that are quoted in part.
 *
 * @throws {@link TunnelError} `INVALID_SSH_CONFIG`
 */
export function* configLines(parse: Parse, file: string, text: string): Generator<ConfigLine> {
  for (const [index, raw] of text.split("\n").entries()) {
    const source = raw.replace(/[ \t\r\n\f]+$/u, "");
    const parsed = parseLine(parse, file, index + 1, source);
    if (parsed !== undefined) yield parsed;
  }
}

function parseLine(
  parse: Parse,
  file: string,
  line: number,
  source: string,
): ConfigLine | undefined {
  if (/^\s*(?:#|$)/u.test(source)) return undefined;
  const place = { file, line };
  if (/^\s*[^\s=]+(?:\s*=)?$/u.test(source)) {
    throw invalidConfig(`no argument after keyword "${source.trim()}"`, place);
  }
  const node = firstNode(parse, source, place);
  if (node === undefined || !("param" in node)) return undefined;
  const name = node.param.replace(/^"(.*)"$/u, "$1");
  const rest = source.slice(node.before.length + node.param.length + node.separator.length);
  const words = splitArguments(rest);
  if (words === undefined) throw invalidConfig("invalid quotes", place);
  return {
    ...place,
    name,
    keyword: name.toLowerCase(),
    words,
    rest,
  };
}

function firstNode(
  parse: Parse,
  source: string,
  place: { file: string; line: number },
): ReturnType<Parse>[number] | undefined {
  try {
    return parse(withoutNegation(source))[0];
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw invalidConfig(`it cannot be parsed (${reason})`, place, { cause });
  }
}

/** The library misses a value after `!all`, `!final` and `!canonical`, which take none. */
function withoutNegation(source: string): string {
  return /^\s*match\b/iu.test(source) ? source.replaceAll("!", "") : source;
}
