import type { PortHolder } from "../errors.ts";

const MAX_WORDS = 32;
const MAX_WORD_CHARACTERS = 200;
const MAX_SHOWN_CHARACTERS = 200;
const WITHHELD = "…";

const SECRET_NAMES = "token|password|passwd|passphrase|secret|api[-_]?key|credentials?";
/** A word whose next word is a secret. */
const SECRET_OPTION = new RegExp(`^--?(?:[\\w-]*-)?(?:${SECRET_NAMES}|pass)$`, "iu");
/** `--token=x` and `TOKEN=x`: everything to the end of the word, since the value may hold spaces. */
const SECRET_ASSIGNMENT = new RegExp(`^(-{0,2}[\\w.-]*(?:${SECRET_NAMES})[=:]).+`, "isu");
/** The same somewhere within a word: a script for a shell, or the title of a process. */
const SECRET_WITHIN = new RegExp(
  `((?:[\\w.-]*(?:${SECRET_NAMES})[=:]|--?(?:[\\w-]*-)?(?:${SECRET_NAMES})\\s)\\s*)[^\\s&#]+`,
  "giu",
);
const SECRET_IN_URL = /(\b[a-z][a-z0-9+.-]*:\/\/)[^/@\s]+@/giu;
const SECRET_IN_QUERY = /([?&#][\w.-]*(?:key|code|signature)=)[^&#\s]*/giu;
const SECRET_IN_HEADER = /\b((?:authorization|cookie|x-[\w-]*(?:key|token))\s*:\s*).+/isu;

/** For people: `held by ssh (pid 123): ssh -N -L 18789:127.0.0.1:18789 box`. */
export function describeHolder({ kind, pid, program, commandLine }: PortHolder): string {
  const id = pid === undefined ? "" : ` (pid ${pid})`;
  const line = commandLine?.join(" ") ?? "";
  const shown =
    line.length > MAX_SHOWN_CHARACTERS ? `${line.slice(0, MAX_SHOWN_CHARACTERS)}…` : line;
  return `held by ${nameOf(kind, program)}${id}${shown === "" ? "" : `: ${shown}`}`;
}

/**
 * A command line of somebody else's, fit to be shown: secrets withheld, control characters replaced,
 * of bounded length.
 */
export function showableCommandLine(argv: readonly string[]): string[] {
  const words = argv
    .slice(0, MAX_WORDS)
    .map((word, index) =>
      SECRET_OPTION.test(argv[index - 1] ?? "") ? WITHHELD : showableWord(word),
    );
  return argv.length > MAX_WORDS ? [...words, WITHHELD] : words;
}

function showableWord(word: string): string {
  const safe = word
    .replace(SECRET_ASSIGNMENT, `$1${WITHHELD}`)
    .replace(SECRET_WITHIN, `$1${WITHHELD}`)
    .replace(SECRET_IN_URL, `$1${WITHHELD}@`)
    .replace(SECRET_IN_QUERY, `$1${WITHHELD}`)
    .replace(SECRET_IN_HEADER, `$1${WITHHELD}`)
    .replace(/\p{C}/gu, "\u{FFFD}");
  return safe.length > MAX_WORD_CHARACTERS ? `${safe.slice(0, MAX_WORD_CHARACTERS)}…` : safe;
}

function nameOf(kind: PortHolder["kind"], program: string | undefined): string {
  switch (kind) {
    case "own-orphan":
      return "what an earlier run of this tunnel left behind";
    case "own-tunnel":
      return "another tunnel of ours";
    case "gateway":
      return "a Gateway";
    case "ssh":
      return "ssh";
    case "program":
      return program ?? "a program";
    case "unknown":
      return "a program that the system does not name";
  }
}
