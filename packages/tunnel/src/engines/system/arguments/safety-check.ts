import { TunnelError } from "../../../errors.ts";
import { askSsh } from "../../../settings/ask-ssh.ts";
import { parsePrintedLines, type PrintedLines } from "../../../settings/printed-config.ts";
import type { SshOption } from "./ssh-options.ts";

/** What is expected of the socket that shares a connection. */
export interface ExpectedSharing {
  /** Our own socket; undefined means that nothing is shared. */
  readonly controlPath: string | undefined;
  /** Local forwards in the form of `ssh -G`. @default none */
  readonly localForwards?: readonly string[];
}

/** Written as on the left, printed as one of those on the right. */
const PRINTED_AS: Readonly<Record<string, readonly string[]>> = {
  yes: ["yes", "true"],
  no: ["no", "false"],
};

/** What releases or builds do not print that lack the feature altogether. */
const MAY_BE_ABSENT: ReadonlySet<string> = new Set([
  "ForkAfterAuthentication",
  "GSSAPIDelegateCredentials",
  "SessionType",
  "StdinNull",
  "UpdateHostKeys",
  "AddKeysToAgent",
]);

/** What has nothing to do with safety, or is printed in another form. */
const NOT_CHECKED: ReadonlySet<string> = new Set([
  "ConnectTimeout",
  // Checked as what is shared.
  "ControlPath",
  "EscapeChar",
  "GlobalKnownHostsFile",
  // Checked with the other forwards.
  "LocalForward",
  "LogLevel",
  "ProxyCommand",
  "ServerAliveInterval",
  "ServerAliveCountMax",
  "UserKnownHostsFile",
]);

const FORWARDS = ["LocalForward", "RemoteForward", "DynamicForward"] as const;

export interface SafetyQuestion {
  readonly program: string;
  /** Exactly what ssh is to be started with. */
  readonly args: readonly string[];
  readonly options: readonly SshOption[];
  readonly sharing: ExpectedSharing;
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Asks ssh itself what it would do with these arguments under the user's configuration, before it is
 * let loose.
 *
 * @returns what it printed
 * @throws {@link TunnelError} `UNSAFE_SSH_CONFIG` with `details.settings`, `INVALID_SSH_CONFIG`,
 * `ENGINE_MISSING`
 */
export async function assertSafe(question: SafetyQuestion): Promise<PrintedLines> {
  const { program, args, options, sharing, env, timeoutMs, signal } = question;
  // Its log would stand between the complaints about a file.
  const quiet = ["-o", "LogLevel=INFO", ...args];
  const printed = await askSsh(program, quiet, { env, timeoutMs, signal });
  if (printed === undefined) {
    throw new TunnelError("ENGINE_MISSING", `${program} is no OpenSSH.`, {
      hint: "Install an OpenSSH client.",
    });
  }
  const lines = parsePrintedLines(printed);
  const settings = unsafeSettings(lines, options, sharing);
  if (settings.length === 0) return lines;
  throw new TunnelError(
    "UNSAFE_SSH_CONFIG",
    `${program} would do more than carry this tunnel: ${settings.join(", ")}.`,
    {
      details: { settings },
      hint: "Look for these settings with ssh -G, or name a config file of its own.",
    },
  );
}

/** The settings that are not as they were asked for, by their names in ssh_config. */
export function unsafeSettings(
  printed: PrintedLines,
  options: readonly SshOption[],
  { controlPath, localForwards = [] }: ExpectedSharing,
): readonly string[] {
  const found = options
    .filter(([name]) => !NOT_CHECKED.has(name))
    .filter(([name, value]) => {
      const values = printed.get(name.toLowerCase());
      if (values === undefined) return value !== "none" && !MAY_BE_ABSENT.has(name);
      const expected = PRINTED_AS[value] ?? [value];
      return !values.every((one) => expected.includes(one));
    })
    .map(([name]) => name);
  const forwards = FORWARDS.filter((name) => {
    const values = printed.get(name.toLowerCase()) ?? [];
    const expected = name === "LocalForward" ? localForwards : [];
    return !values.every((one) => expected.includes(one));
  });
  const shared = printed.get("controlpath")?.[0] ?? "none";
  const sharing = shared === (controlPath ?? "none") ? [] : ["ControlPath"];
  return [...new Set([...found, ...forwards, ...sharing])];
}
