/**
 * An argv as one line for people and logs, quoted as a POSIX shell would need it. Whatever is shown of
 * a command is derived from the argv that is executed, never from what the caller calls it.
 */
export function quoteArgv(argv: readonly string[]): string {
  return argv.map(quote).join(" ");
}

function quote(argument: string): string {
  if (/^[\w@%+=:,./-]+$/.test(argument)) return argument;
  return `'${argument.replaceAll("'", `'\\''`)}'`;
}
