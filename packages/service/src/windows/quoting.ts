import { ServiceError } from "../errors.ts";

/**
 * One word of a command line in a batch file, so that cmd passes it on and the program's C library
 * reads it back.
 *
 * Two parsers look at it. The library takes `\"` for a quote; cmd does not, and would believe the
 * quotation ended there. So a word that holds a quote is written with a caret before everything
 * that means something to cmd, its own quotes included, and cmd never sees a quotation begin.
 */
export function quoteCmdWord(text: string): string {
  assertOneLine(text);
  if (/^[\w.:\\/@+-]+$/u.test(text) && !text.endsWith("\\")) return text;
  // Backslashes mean something to the library only in front of a quote.
  const forLibrary = `"${text.replaceAll(/(\\*)(?:"|$)/gu, (run, slashes: string) =>
    run.endsWith('"') ? String.raw`${slashes}${slashes}\"` : slashes + slashes,
  )}"`;
  return text.includes('"') ? withCarets(forLibrary) : withoutVariables(forLibrary);
}

/** `set` of one variable, in a batch file. */
export function setLine(name: string, value: string): string {
  assertOneLine(value);
  // set takes what stands between the first and the last quote; quotes in between would end cmd's
  // quotation on the way.
  return value.includes('"')
    ? `set ${withCarets(`${name}=${value}`)}`
    : `set ${withoutVariables(`"${name}=${value}"`)}`;
}

/** A path for `cd` or a redirection; Windows allows no quote in one. */
export function quoteCmdPath(path: string): string {
  assertOneLine(path);
  if (path.includes('"')) {
    throw new ServiceError("INVALID_DEFINITION", "a path on Windows cannot hold a quote.");
  }
  return `"${withoutVariables(path)}"`;
}

/** `%` begins a variable in a batch file, quoted or not. */
function withoutVariables(text: string): string {
  return text.replaceAll("%", "%%");
}

function withCarets(text: string): string {
  return withoutVariables(text.replaceAll(/[\^&|<>()"! ,;=\t]/gu, "^$&"));
}

function assertOneLine(text: string): void {
  if (/[\r\n\0\u001a]/u.test(text)) {
    throw new ServiceError(
      "INVALID_DEFINITION",
      "a batch file cannot hold a line break within a text.",
    );
  }
}

/** What one line of a batch file says, after cmd has read it. */
export interface CmdLine {
  /** Carets and doubled percent signs undone, quotes still there. */
  readonly text: string;
  /** Files behind `>>` and `2>>`. */
  readonly redirections: readonly string[];
}

/** Reads one line as cmd reads it in a batch file: percent signs, then carets and quotes. */
export function readCmdLine(line: string): CmdLine {
  let text = "";
  let isQuoted = false;
  const redirections: string[] = [];
  const source = line.replaceAll("%%", "%");
  for (let index = 0; index < source.length; index += 1) {
    const character = source.charAt(index);
    if (character === '"') {
      isQuoted = !isQuoted;
      text += character;
    } else if (isQuoted) {
      text += character;
    } else if (character === "^") {
      index += 1;
      text += source.charAt(index);
    } else if (character === ">") {
      const [whole = ">", quoted, plain] =
        /^>{1,2}\s*(?:"([^"]*)"|(\S+))/u.exec(source.slice(index)) ?? [];
      // A digit in front names the stream.
      text = text.replace(/\s[012]$/u, "");
      redirections.push(quoted ?? plain ?? "");
      index += whole.length - 1;
    } else {
      text += character;
    }
  }
  return { text, redirections };
}

/** Splits a command line as the C library of Windows does. */
export function splitWindowsCommandLine(commandLine: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let isQuoted = false;
  for (let index = 0; index < commandLine.length; index += 1) {
    const character = commandLine.charAt(index);
    if (character === "\\") {
      const [run = ""] = /^\\+/u.exec(commandLine.slice(index)) ?? [];
      const beforeQuote = commandLine.charAt(index + run.length) === '"';
      word = (word ?? "") + (beforeQuote ? "\\".repeat(Math.floor(run.length / 2)) : run);
      index += run.length - 1;
      if (beforeQuote && run.length % 2 === 1) {
        word += '"';
        index += 1;
      }
    } else if (character === '"') {
      isQuoted = !isQuoted;
      word ??= "";
    } else if (!isQuoted && /[ \t]/u.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? "") + character;
    }
  }
  return word === undefined ? words : [...words, word];
}
