import type { CommandSpec, OptionSpec } from "./command-spec.ts";
import { optionsOf } from "./command-spec.ts";

export const SHELLS = ["zsh", "bash", "fish", "powershell"] as const;
export type Shell = (typeof SHELLS)[number];

/** A script that completes commands, options and their fixed values, made from the command table. */
export function completionScript(shell: Shell, root: CommandSpec, program: string): string {
  const places = placesOf(root);
  switch (shell) {
    case "bash":
      return bashScript(places, program);
    case "zsh":
      return zshScript(places, program);
    case "fish":
      return fishScript(places, program);
    case "powershell":
      return powershellScript(places, program);
  }
}

/** A point in the command line, and what may follow there. */
interface Place {
  /** The command words before it, joined by spaces. */
  readonly path: string;
  readonly words: readonly { readonly word: string; readonly says: string }[];
  readonly choices: readonly { readonly option: string; readonly values: readonly string[] }[];
  /** Whether a host of the user's ssh config may stand there. */
  readonly takesHost: boolean;
}

/** Names without a pattern, and with nothing that a shell would take for more than a word. */
const HOSTS_PROGRAM =
  "awk 'tolower($1) == \"host\" { for (i = 2; i <= NF; i++) if ($i ~ /^[A-Za-z0-9._-]+$/) print $i }' ~/.ssh/config 2>/dev/null";

function placesOf(root: CommandSpec): Place[] {
  const places: Place[] = [];
  const visit = (spec: CommandSpec, path: readonly string[]): void => {
    // A group takes no option but this one; the program itself has its global flags.
    const isGroup = spec.commands !== undefined && path.length > 0;
    const own = isGroup ? [] : path.length === 0 ? (spec.options ?? []) : optionsOf(spec);
    const options = [...own.filter((option) => option.hidden !== true), HELP];
    places.push({
      path: path.join(" "),
      words: [
        ...(spec.commands ?? []).map((command) => ({ word: command.name, says: command.summary })),
        ...options.map((option) => ({ word: `--${option.name}`, says: option.description })),
      ],
      choices: options.flatMap(({ name, choices }) =>
        choices === undefined ? [] : [{ option: `--${name}`, values: choices }],
      ),
      takesHost: (spec.arguments ?? []).some(({ completes }) => completes === "ssh-host"),
    });
    for (const command of spec.commands ?? []) visit(command, [...path, command.name]);
  };
  visit(root, []);
  return places;
}

const HELP: OptionSpec = { name: "help", kind: "flag", description: "Show help" };

function bashScript(places: readonly Place[], program: string): string {
  const name = functionName(program);
  const groups = places.filter(({ words }) => words.length > 0);
  const hosts = (takesHost: boolean): string => (takesHost ? ` $(${name}_hosts)` : "");
  return `# bash completion for ${program}
${name}_hosts() { ${HOSTS_PROGRAM}; }
${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" place="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$place $word" in
${commandCases(places)
  .map((path) => `      " ${path}") place=" ${path}" ;;`)
  .join("\n")}
    esac
  done
  case "$place $previous" in
${choiceCases(places, (path, option, values) => `    "${path} ${option}") COMPREPLY=($(compgen -W "${values.join(" ")}" -- "$current")); return ;;`)}
  esac
  case "$place" in
${groups.map(({ path, words, takesHost }) => `    "${path === "" ? "" : ` ${path}`}") COMPREPLY=($(compgen -W "${words.map(({ word }) => word).join(" ")}${hosts(takesHost)}" -- "$current")) ;;`).join("\n")}
  esac
}
complete -o default -F ${name} ${program}
`;
}

function zshScript(places: readonly Place[], program: string): string {
  // As the file is called when it lies in fpath, where the shell runs it at the first completion.
  const name = `_${program}`;
  return `#compdef ${program}
${name}_hosts() { ${HOSTS_PROGRAM}; }
${name}() {
  local -a items
  local place="" word
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$place $word" in
${commandCases(places)
  .map((path) => `      " ${path}") place=" ${path}" ;;`)
  .join("\n")}
    esac
  done
  case "$place \${words[CURRENT-1]}" in
${choiceCases(places, (path, option, values) => `    "${path} ${option}") compadd -- ${values.join(" ")}; return ;;`)}
  esac
  case "$place" in
${places
  .map(({ path, words, takesHost }) => {
    const items = words.map(({ word, says }) => singleQuoted(`${word}:${says}`)).join(" ");
    const hosts = takesHost ? ` \${(f)"$(${name}_hosts)"}` : "";
    return `    "${path === "" ? "" : ` ${path}`}") items=(${items}${hosts}) ;;`;
  })
  .join("\n")}
  esac
  _describe '${program}' items || _files
}
if [ "$funcstack[1]" = "${name}" ]; then ${name} "$@"; else compdef ${name} ${program}; fi
`;
}

function fishScript(places: readonly Place[], program: string): string {
  const name = functionName(program);
  const lines = places.flatMap(({ path, words, choices, takesHost }) => {
    const condition = `-n "test (${name}_path) = '${path}'"`;
    const hosts = `complete -c ${program} -f ${condition} -a "(${name}_hosts)" -d 'SSH host'`;
    const own = words.map(({ word, says }) => {
      const description = `-d ${fishQuoted(says)}`;
      if (!word.startsWith("--"))
        return `complete -c ${program} -f ${condition} -a ${word} ${description}`;
      const values = choices.find(({ option }) => option === word)?.values;
      const argument = values === undefined ? "" : ` -x -a '${values.join(" ")}'`;
      return `complete -c ${program} ${condition} -l ${word.slice(2)}${argument} ${description}`;
    });
    return takesHost ? [...own, hosts] : own;
  });
  return `# fish completion for ${program}
function ${name}_hosts
  ${HOSTS_PROGRAM}
end
function ${name}_path
  set -l path
  for word in (commandline -opc)[2..-1]
    switch "$path $word"
      case ${commandCases(places)
        .map((path) => `'${path.includes(" ") ? path : ` ${path}`}'`)
        .join(" ")}
        set path (string trim "$path $word")
    end
  end
  echo "$path"
end
${lines.join("\n")}
`;
}

function powershellScript(places: readonly Place[], program: string): string {
  const table = `$${functionName(program)}`;
  const entries = places.flatMap(({ path, words, choices }) => [
    powershellEntry(path, words),
    ...choices.map(({ option, values }) =>
      powershellEntry(
        `${path} ${option}`.trim(),
        values.map((word) => ({ word, says: word })),
      ),
    ),
  ]);
  return `# PowerShell completion for ${program}
${table} = @{
${entries.join("\n")}
}
Register-ArgumentCompleter -Native -CommandName '${program}' -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $place = ''
  $previous = ''
  foreach ($element in $commandAst.CommandElements | Select-Object -Skip 1) {
    $word = "$element"
    if ($word -eq $wordToComplete) { continue }
    $previous = $word
    $next = "$place $word".Trim()
    if (-not $word.StartsWith('-') -and ${table}.ContainsKey($next)) { $place = $next }
  }
  $asked = "$place $previous".Trim()
  $key = if ($previous.StartsWith('--') -and ${table}.ContainsKey($asked)) { $asked } else { $place }
  ${table}[$key] | Where-Object { $_[0] -like "$wordToComplete*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_[0], $_[0], 'ParameterValue', $_[1])
  }
}
`;
}

function powershellEntry(key: string, words: Place["words"]): string {
  // The comma keeps a list of one from being unrolled.
  const items = words.map(
    ({ word, says }) => `,@(${powershellQuoted(word)}, ${powershellQuoted(says)})`,
  );
  return `  ${powershellQuoted(key)} = @(${items.join("; ")})`;
}

function commandCases(places: readonly Place[]): string[] {
  return places.map(({ path }) => path).filter((path) => path !== "");
}

function choiceCases(
  places: readonly Place[],
  render: (path: string, option: string, values: readonly string[]) => string,
): string {
  const lines = places.flatMap(({ path, choices }) =>
    choices.map(({ option, values }) => render(path === "" ? "" : ` ${path}`, option, values)),
  );
  // An empty case list is a syntax error in neither shell, but reads like a mistake.
  return lines.length === 0 ? "    *) ;;" : lines.join("\n");
}

function functionName(program: string): string {
  return `_${program.replaceAll(/\W/g, "_")}_completion`;
}

function singleQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

function powershellQuoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
