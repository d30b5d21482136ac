import { readFile } from "node:fs/promises";
import { homedir, userInfo } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import process from "node:process";
import { TunnelError } from "../errors.ts";
import { formatSshTarget, parseSshTarget, type SshTarget } from "../target.ts";
import { askSsh, type AskSshOptions } from "./ask-ssh.ts";
import type { EffectiveConfig } from "./effective-config.ts";
import { findSshProgram, type Env } from "./find-ssh-program.ts";
import { formatJumpHosts } from "./jump-hosts.ts";
import {
  needsBaseline,
  parsePrintedLines,
  printedConfig,
  type PrintedLines,
} from "./printed-config.ts";
import { invalidConfig } from "./ssh-complaints.ts";
import type { SshSettings } from "./ssh-settings.ts";
import { toSettings } from "./to-settings.ts";
import { expandHome, type LocalUser } from "./tokens.ts";

export interface ResolveSettingsOptions {
  /** Private key to use instead of those of ssh_config; then no other key is offered. */
  readonly identity?: string | undefined;
  /** Instead of the user's and the system's file; `false` reads none. */
  readonly sshConfig?: string | false | undefined;
  /** Instead of UserKnownHostsFile. */
  readonly knownHosts?: string | undefined;
  /** Absolute path of `ssh`. @default found by {@link findSshProgram} */
  readonly sshProgram?: string | undefined;
  readonly env: Env;
  /**
   * What `~` stands for. @default as the user database has it, which is also what ssh takes for the
   * files that it reads itself
   */
  readonly home?: string | undefined;
  /** For one `ssh -G`, which takes milliseconds unless a command of `Match exec` is slow. @default 5_000 */
  readonly timeoutMs?: number | undefined;
  /** `false` reads the files in this process even where there is an ssh program. @default true */
  readonly useProgram?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** More hosts in a row are taken for a mistake. */
const MAX_HOPS = 10;

/**
 * The effective settings of a target, as `ssh` would see them: from `ssh -G`, or from the files
 * themselves where the system has no ssh.
 *
 * @throws {@link TunnelError} `INVALID_SSH_CONFIG` with `details.file` and `details.line`,
 * `INVALID_TARGET`, `INVALID_OPTION`, `ENGINE_MISSING`, `TIMED_OUT`, `CLOSED`
 */
export async function resolveSshSettings(
  target: SshTarget,
  options: ResolveSettingsOptions,
): Promise<SshSettings> {
  return resolveThrough(target, options, undefined);
}

/**
 * Settings of the hosts to go through, the first hop first, each from its own configuration. As with
 * ssh, only the first hop of a chain may itself have hosts to go through, which then come before it;
 * and `identity` and `knownHosts` are those of the target alone.
 *
 * @throws {@link TunnelError} as {@link resolveSshSettings}; `INVALID_SSH_CONFIG` for a loop or more
 * than 10 hosts
 */
export async function resolveHops(
  settings: SshSettings,
  options: ResolveSettingsOptions,
): Promise<readonly SshSettings[]> {
  const { identity: _identity, knownHosts: _knownHosts, ...shared } = options;
  const hops: SshSettings[] = [];
  const passed = new Set([identityOf(settings)]);
  let chain = settings.proxyJump;
  while (chain.length > 0) {
    if (hops.length + chain.length > MAX_HOPS) {
      throw invalidConfig(`ProxyJump goes through more than ${MAX_HOPS} hosts`);
    }
    const part = await Promise.all(
      chain.map((hop, index) =>
        resolveThrough(hop, shared, index === 0 ? undefined : chain.slice(0, index)),
      ),
    );
    for (const hop of part) {
      if (passed.has(identityOf(hop))) {
        throw invalidConfig(`ProxyJump goes in a circle through ${formatSshTarget(hop.target)}`);
      }
      passed.add(identityOf(hop));
    }
    hops.unshift(...part);
    chain = part[0]?.proxyJump ?? [];
  }
  return hops;
}

/** `through` stands for the ProxyJump of the configuration, as `ssh -J` does. */
async function resolveThrough(
  target: SshTarget,
  options: ResolveSettingsOptions,
  through: readonly SshTarget[] | undefined,
): Promise<SshSettings> {
  assertSafe(target);
  const { identity, knownHosts, env } = options;
  const localUser = localUserOf(options);
  const config =
    (await askProgram(target, options, localUser, through)) ??
    (await readFiles(target, options, localUser, through));
  return toSettings(target, config, { env, localUser, identity, knownHosts });
}

async function askProgram(
  target: SshTarget,
  options: ResolveSettingsOptions,
  localUser: LocalUser,
  through: readonly SshTarget[] | undefined,
): Promise<EffectiveConfig | undefined> {
  const { env, sshConfig, timeoutMs = 5_000, signal } = options;
  if (options.useProgram === false) return undefined;
  const program = options.sshProgram ?? findSshProgram(env);
  if (program === undefined) return undefined;
  if (!isAbsolute(program)) {
    throw new TunnelError("INVALID_OPTION", `the ssh program "${program}" is no absolute path.`);
  }
  const asking: AskSshOptions = { env, timeoutMs, signal };
  const ask = async (file: string | undefined): Promise<PrintedLines | undefined> => {
    const text = await askSsh(program, questionFor(target, file, through), asking);
    return text === undefined ? undefined : parsePrintedLines(text);
  };

  const file = sshConfig === false ? "none" : configPath(sshConfig, localUser);
  const printed = await ask(file);
  if (printed === undefined) return undefined;
  const baseline =
    file === "none" ? printed : needsBaseline(printed) ? await ask("none") : undefined;
  const mayWantGssapi = printed.get("gssapiauthentication")?.[0] === "yes";
  return printedConfig(printed, {
    baseline,
    wantsGssapi: mayWantGssapi && (await isUsersOwnGssapi(file, localUser, ask)),
  });
}

/** Arguments after `-G`. `ControlPath` plays no part in a tunnel; here it makes ssh tell its `%C`. */
function questionFor(
  { host, user, port }: SshTarget,
  file: string | undefined,
  through: readonly SshTarget[] | undefined,
): readonly string[] {
  return [
    ...(file === undefined ? [] : ["-F", file]),
    "-oControlPath=%C",
    ...(port === undefined ? [] : ["-p", String(port)]),
    ...(user === undefined ? [] : ["-l", user]),
    ...(through === undefined ? [] : ["-J", formatJumpHosts(through)]),
    "--",
    host,
  ];
}

/**
 * Distributions switch GSSAPIAuthentication on in the system's file. Whether the user's own file does,
 * too, ssh tells when it reads that one alone; which is asked only if the file can have it.
 */
async function isUsersOwnGssapi(
  file: string | undefined,
  localUser: LocalUser,
  ask: (file: string) => Promise<PrintedLines | undefined>,
): Promise<boolean> {
  if (file !== undefined) return true;
  const own = join(localUser.home, ".ssh", "config");
  const text = await readFile(own, "utf8").catch(() => "");
  if (!/gssapi|include/iu.test(text)) return false;
  const printed = await ask(own);
  return printed?.get("gssapiauthentication")?.[0] === "yes";
}

async function readFiles(
  target: SshTarget,
  { env, sshConfig, signal }: ResolveSettingsOptions,
  localUser: LocalUser,
  through: readonly SshTarget[] | undefined,
): Promise<EffectiveConfig> {
  const { readConfigFiles } = await import("./config-files/read-config-files.ts");
  return readConfigFiles({
    target,
    through: through === undefined ? undefined : formatJumpHosts(through),
    file: sshConfig === false ? false : configPath(sshConfig, localUser),
    localUser,
    env,
    signal,
  });
}

function configPath(file: string | undefined, { home }: LocalUser): string | undefined {
  return file === undefined ? undefined : resolve(expandHome(file, home));
}

function localUserOf({ home, env }: ResolveSettingsOptions): LocalUser {
  try {
    const { username, uid, homedir: directory } = userInfo();
    return { name: username, uid, home: home ?? directory };
  } catch {
    // A user id without an entry in the user database, as containers have it.
    const name = env["USER"] ?? env["LOGNAME"] ?? "";
    return { name, uid: process.getuid?.() ?? 0, home: home ?? env["HOME"] ?? homedir() };
  }
}

/** A target that a caller has put together himself goes through the same gate as one that was read. */
function assertSafe(target: SshTarget): void {
  const { host, user, port } = parseSshTarget(formatSshTarget(target));
  if (host === target.host && user === target.user && port === target.port) return;
  throw new TunnelError("INVALID_TARGET", "the SSH target is not one host with a user and a port.");
}

/** Two hosts are one when ssh would connect to the same place as the same user. */
function identityOf({ hostName, port, user }: SshSettings): string {
  return JSON.stringify([hostName, port, user]);
}
