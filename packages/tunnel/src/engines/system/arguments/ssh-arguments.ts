import { formatSshTarget, type SshTarget } from "../../../target.ts";
import type { SshSettings } from "../../../settings/ssh-settings.ts";
import { type SshOption, toArguments } from "./ssh-options.ts";

export interface ProgramAndConfig {
  readonly program: string;
  /** As `TunnelOptions.sshConfig`. */
  readonly sshConfig: string | false | undefined;
}

/** One host on the way to the target. */
export interface HopCommand {
  readonly settings: SshSettings;
  readonly options: readonly SshOption[];
  /** Takes the log, so that it does not mix with the target's. */
  readonly logFile: string;
}

/** The words after the program for a connection that runs nothing. */
export function targetArguments(
  { sshConfig }: ProgramAndConfig,
  { target }: Pick<SshSettings, "target">,
  options: readonly SshOption[],
  identities: readonly string[],
): readonly string[] {
  return [
    ...configArguments(sshConfig),
    // Neither a command nor a terminal, no agent and no X11.
    ...["-N", "-T", "-a", "-x"],
    ...toArguments(options),
    ...identities.flatMap((file) => ["-i", file]),
    ...destinationArguments(target),
  ];
}

/** The words after the program for a host on the way, which passes the connection on to `next`. */
export function hopArguments(
  { sshConfig }: ProgramAndConfig,
  { settings, options, logFile }: HopCommand,
  next: string,
): readonly string[] {
  return [
    ...configArguments(sshConfig),
    ...["-T", "-a", "-x", "-E", logFile],
    ...toArguments(options),
    ...["-W", next],
    ...destinationArguments(settings.target),
  ];
}

/**
 * The ProxyCommand that goes through all hosts of a chain, the first hop first. ssh would make one by
 * itself of ProxyJump, whose hosts would be asked under the user's settings alone: a forwarded agent,
 * a prompt, a host key that nobody checks.
 */
export function chainCommand(
  using: ProgramAndConfig,
  hops: readonly HopCommand[],
  target: Pick<SshSettings, "hostName" | "port">,
): string | undefined {
  let command: string | undefined;
  for (const [index, hop] of hops.entries()) {
    const { hostName, port } = hops[index + 1]?.settings ?? target;
    // The first hop keeps what its own configuration says: a program may be the way to it.
    const through: readonly SshOption[] = command === undefined ? [] : [["ProxyCommand", command]];
    const options = [...hop.options, ...through];
    const next = formatSshTarget({ host: hostName, port });
    const words = [using.program, ...hopArguments(using, { ...hop, options }, next)];
    // ssh replaces tokens in the whole of a ProxyCommand, also in what is meant for the next ssh.
    command = words.map(quoteWord).join(" ").replaceAll("%", "%%");
  }
  return command;
}

function configArguments(sshConfig: string | false | undefined): readonly string[] {
  if (sshConfig === undefined) return [];
  return ["-F", sshConfig === false ? "none" : sshConfig];
}

/** A target cannot be taken for an option, and after `--` it could not be either. */
function destinationArguments({ user, host, port }: SshTarget): readonly string[] {
  return [
    ...(port === undefined ? [] : ["-p", String(port)]),
    ...(user === undefined ? [] : ["-l", user]),
    ...["--", host],
  ];
}

/** One word for a POSIX shell: ssh hands a ProxyCommand to one. */
function quoteWord(word: string): string {
  if (/^[\w@%+=:,./-]+$/u.test(word)) return word;
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
