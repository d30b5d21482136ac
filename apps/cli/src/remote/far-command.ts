/** How the program is found on the far side. */
export interface FarProgram {
  /** An executable, or a file for node. */
  readonly cliPath?: string | undefined;
  /** A checkout, in which the program is looked for when it is not on PATH. */
  readonly projectRoot?: string | undefined;
}

/** What a shell says of a program that it does not find. */
export const EXIT_NOT_FOUND = 127;

/** Begins the line that tells which folders were searched. */
const SEARCHED = "PATH searched: ";

/*
 * For any Bourne shell, and quoted in single quotes for whatever login shell there is: so it holds
 * neither a single quote, nor a line break, nor a "!", which csh takes for its history.
 *
 * A shell that is not interactive reads few start files: the folders in which the program mostly
 * lies are put in front.
 */
const SCRIPT = [
  `PATH="/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin:$HOME/Library/pnpm:$PATH"`,
  "export PATH",
  `cli="$1"`,
  `root="$2"`,
  "shift 2",
  `lost() { echo "$1" >&2; echo "${SEARCHED}$PATH" >&2; exit ${EXIT_NOT_FOUND}; }`,
  `bynode() { command -v node >/dev/null 2>&1 || lost "node is not found"; exec node "$@"; }`,
  `case "$cli" in "~/"*) cli="$HOME/\${cli#??}";; esac`,
  `case "$root" in "~/"*) root="$HOME/\${root#??}";; esac`,
  `if [ -n "$cli" ]; then [ -f "$cli" ] || lost "there is no file $cli"; [ -x "$cli" ] && exec "$cli" "$@"; bynode "$cli" "$@"; fi`,
  `if [ -n "$root" ]; then cd "$root" || lost "there is no folder $root"; elif [ -d "$HOME/Projects/openclaw" ]; then root="$HOME/Projects/openclaw"; cd "$root"; fi`,
  `if command -v openclaw >/dev/null 2>&1; then exec openclaw "$@"; fi`,
  `if [ -n "$root" ]; then for file in dist/index.js openclaw.mjs bin/openclaw.js; do if [ -f "$file" ]; then bynode "$file" "$@"; fi; done; if [ -f package.json ] && command -v pnpm >/dev/null 2>&1; then exec pnpm --silent openclaw "$@"; fi; fi`,
  `lost "openclaw is not found"`,
].join("; ");

/** The command line that runs our program on the far side, whatever the login shell there is. */
export function farCommand(words: readonly string[], { cliPath, projectRoot }: FarProgram): string {
  return ["/bin/sh", "-c", SCRIPT, "sh", cliPath ?? "", projectRoot ?? "", ...words]
    .map(quote)
    .join(" ");
}

/** The folders that the far side has searched, of what it wrote to stderr. */
export function searchedPath(stderr: string): string | undefined {
  const line = stderr.split("\n").findLast((text) => text.startsWith(SEARCHED));
  return line?.slice(SEARCHED.length);
}

/** One word for every shell, as long as it has no line break. */
function quote(word: string): string {
  if (/[\n\r]/u.test(word)) throw new Error("a line break cannot be quoted for every shell");
  return /^[\w./:=-]+$/u.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
