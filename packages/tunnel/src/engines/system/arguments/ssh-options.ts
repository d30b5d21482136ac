import type { SshSettings } from "../../../settings/ssh-settings.ts";
import type { HostKeyPolicy } from "../../../settings/ssh-settings.ts";
import { isAtLeast, type SshVersion } from "./ssh-version.ts";

/** Options of ssh_config as `-o` takes them, in order; for ssh the first one of a name counts. */
export type SshOption = readonly [name: string, value: string];

/** What to do with a key that is not known yet. A changed one is refused either way. */
export type KeyChecking = "yes" | "accept-new";

export interface SafeOptionsInput {
  readonly version: SshVersion;
  readonly keyChecking: KeyChecking;
  /** Whether a program of ours answers prompts; without one there are none. */
  readonly mayAsk: boolean;
  readonly connectTimeoutMs: number;
}

/**
 * What holds for every ssh of ours, whatever the configuration says: it authenticates, and does
 * nothing besides what its arguments ask of it.
 */
export function safeOptions({
  version,
  keyChecking,
  mayAsk,
  connectTimeoutMs,
}: SafeOptionsInput): readonly SshOption[] {
  return [
    ["BatchMode", mayAsk ? "no" : "yes"],
    ["StrictHostKeyChecking", keyChecking],
    ["UpdateHostKeys", keyChecking === "accept-new" ? "yes" : "no"],
    // Either would accept a key in spite of what known_hosts says.
    ["NoHostAuthenticationForLocalhost", "no"],
    ["VerifyHostKeyDNS", "no"],
    ["ClearAllForwardings", "yes"],
    ["ExitOnForwardFailure", "yes"],
    ["ForwardAgent", "no"],
    ["ForwardX11", "no"],
    ["ForwardX11Trusted", "no"],
    ["GSSAPIDelegateCredentials", "no"],
    ["AddKeysToAgent", "no"],
    ["PermitLocalCommand", "no"],
    ["RemoteCommand", "none"],
    ["RequestTTY", "no"],
    ["EscapeChar", "none"],
    ["Tunnel", "no"],
    ["ControlPersist", "no"],
    ...(isAtLeast(version, { major: 8, minor: 7 })
      ? ([["ForkAfterAuthentication", "no"]] as const)
      : []),
    ["ConnectTimeout", String(Math.max(1, Math.ceil(connectTimeoutMs / 1000)))],
    ["LogLevel", "DEBUG1"],
  ];
}

/**
 * ServerAliveInterval and ServerAliveCountMax for a far side that is to be found dead within
 * `intervalMs` × `countMax`: ssh waits for one interval of silence, and one for each question.
 */
export function keepaliveOptions(intervalMs: number, countMax: number): readonly SshOption[] {
  if (intervalMs <= 0 || countMax <= 0) return [["ServerAliveInterval", "0"]];
  const seconds = Math.max(1, Math.floor((intervalMs * countMax) / (countMax + 1) / 1000));
  return [
    ["ServerAliveInterval", String(seconds)],
    ["ServerAliveCountMax", String(countMax)],
  ];
}

/**
 * How unknown keys are taken. A host of which any key is known already is not new, also when it shows
 * one of another type; ssh by itself would record that one.
 */
export function keyCheckingOf(
  policy: HostKeyPolicy,
  { strictHostKeyChecking }: Pick<SshSettings, "strictHostKeyChecking">,
  isKnown: boolean,
): KeyChecking {
  if (isKnown || policy === "strict") return "yes";
  if (policy === "accept-new") return "accept-new";
  return strictHostKeyChecking === "yes" || strictHostKeyChecking === "ask" ? "yes" : "accept-new";
}

/** One value that ssh_config splits at spaces and searches for `%` tokens. */
export function quoteConfigPath(path: string): string {
  const escaped = path.replaceAll("%", "%%");
  return /[\s"'\\#]/u.test(escaped) ? `"${escaped.replace(/["\\]/gu, String.raw`\$&`)}"` : escaped;
}

export function toArguments(options: readonly SshOption[]): readonly string[] {
  return options.flatMap(([name, value]) => ["-o", `${name}=${value}`]);
}
