import { basename } from "node:path";

/** What an ssh command line asks for, as far as a supervisor has to care. */
export interface SshArguments {
  /** It goes to the background by itself: `-f`, or the option of that name. */
  readonly forks: boolean;
  /** `-N`: no remote command. */
  readonly runsNoCommand: boolean;
  /** Local ports of `-L` and `-D`. */
  readonly localPorts: readonly number[];
  /** `-o` options, names in lower case. */
  readonly options: ReadonlyMap<string, string>;
  /** What stands where the host belongs. */
  readonly destination: string | undefined;
}

const WITH_VALUE = "BbcDEeFIiJLlmOoPpQRSWw";

/** Every ssh or autossh that a command line runs, also within the script of a shell. */
export function findSshCommands(words: readonly string[]): SshArguments[] {
  const found: SshArguments[] = [];
  for (const [index, word] of words.entries()) {
    const program = basename(word.replaceAll("\\", "/")).replace(/\.exe$/iu, "");
    if (program === "ssh" || program === "autossh") {
      found.push(readArguments(words.slice(index + 1), program === "autossh"));
      break;
    }
    // The script of `sh -c`, a command for each part of it.
    if (/\s/u.test(word) && index > 0) found.push(...scriptCommands(word).flatMap(findSshCommands));
  }
  return found;
}

/** A script, split roughly: into commands, and those into words without their quotes. */
export function scriptCommands(script: string): string[][] {
  return script
    .split(/[;&|\n]+/u)
    .map((command) =>
      (command.match(/"[^"]*"|'[^']*'|\S+/gu) ?? []).map((word) =>
        word.replace(/^(["'])(.*)\1$/su, "$2"),
      ),
    )
    .filter((command) => command.length > 0);
}

function readArguments(words: readonly string[], isAutossh: boolean): SshArguments {
  const flags = new Set<string>();
  const options = new Map<string, string>();
  const localPorts: number[] = [];
  let destination: string | undefined;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    if (word === "--") {
      destination ??= words[index + 1];
      break;
    }
    if (!word.startsWith("-") || word === "-") {
      // What follows the host is a remote command.
      if (destination !== undefined) break;
      destination = word;
      continue;
    }
    for (let at = 1; at < word.length; at += 1) {
      const letter = word.charAt(at);
      const takesValue = WITH_VALUE.includes(letter) || (isAutossh && letter === "M");
      if (!takesValue) {
        flags.add(letter);
        continue;
      }
      const inline = word.slice(at + 1);
      const value = inline === "" ? (words[(index += 1)] ?? "") : inline;
      if (letter === "o") addOption(options, value);
      if (letter === "L" || letter === "D") localPorts.push(...portOf(value));
      break;
    }
  }
  return {
    forks: flags.has("f") || options.get("forkafterauthentication") === "yes",
    runsNoCommand: flags.has("N"),
    localPorts,
    options,
    destination,
  };
}

function addOption(options: Map<string, string>, text: string): void {
  const [, name, value] = /^\s*([a-z]+)\s*[=\s]\s*(.*)$/isu.exec(text) ?? [];
  // ssh takes the first value it meets.
  if (name === undefined || value === undefined || options.has(name.toLowerCase())) return;
  options.set(name.toLowerCase(), value.trim().toLowerCase());
}

/** The local port of `[address:]port:…` or `[address:]port`; none for a socket. */
function portOf(forward: string): number[] {
  const [first = "", second = ""] = forward.replaceAll(/\[[^\]]*\]/gu, "address").split(":");
  const port = [first, second].find((part) => /^\d{1,5}$/u.test(part));
  return port === undefined ? [] : [Number(port)];
}
