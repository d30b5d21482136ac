import { resolve } from "node:path";
import process from "node:process";
import type { SshTarget } from "../target.ts";
import { resolveAlgorithms } from "./algorithm-lists.ts";
import { canonicalHost } from "./canonical-host.ts";
import { ignoredSettings, needsOfSystemSsh } from "./beyond-ssh2.ts";
import { isGiven, isNo, isYes, valueOf, type EffectiveConfig } from "./effective-config.ts";
import { variable, type Env } from "./find-ssh-program.ts";
import { parseJumpHosts } from "./jump-hosts.ts";
import {
  defaultGlobalKnownHosts,
  defaultUserKnownHosts,
  type AlgorithmKeyword,
} from "./openssh-defaults.ts";
import type { AlgorithmSettings, ConfiguredForward, SshSettings } from "./ssh-settings.ts";
import { expand, expandHome, tokensOf, type LocalUser, type Tokens } from "./tokens.ts";

export interface SettingsContext {
  readonly env: Env;
  readonly localUser: LocalUser;
  /** The only private key to use, instead of those of ssh_config. */
  readonly identity: string | undefined;
  /** Instead of UserKnownHostsFile. */
  readonly knownHosts: string | undefined;
}

/** Agent of Windows' own OpenSSH, which no variable names. */
const WINDOWS_AGENT = "\\\\.\\pipe\\openssh-ssh-agent";

/**
 * Turns what ssh_config says into settings: units, absolute paths, defaults.
 *
 * @throws {@link TunnelError} `INVALID_SSH_CONFIG`
 */
export async function toSettings(
  target: SshTarget,
  config: EffectiveConfig,
  context: SettingsContext,
): Promise<SshSettings> {
  const { identity, knownHosts } = context;
  const proxyJump = isGiven(config, "proxyjump")
    ? parseJumpHosts(valueOf(config, "proxyjump") ?? "")
    : [];
  const hostName = canonicalHost(valueOf(config, "hostname") ?? target.host);
  const user = valueOf(config, "user") ?? context.localUser.name;
  const port = Number(valueOf(config, "port") ?? 22);
  // ssh looks keys up in lower case.
  const hostKeyAlias = valueOf(config, "hostkeyalias")?.toLowerCase();
  const tokens = tokensOf({
    localUser: context.localUser,
    originalHost: target.host,
    hostName,
    hostKeyAlias,
    port,
    user,
    jumpHost: proxyJump.at(-1)?.host,
    connectionHash: config.connectionHash,
  });
  const path = (text: string): string => pathOf(text, tokens, context);
  const own = config.values.get("identityfile");
  const identityFiles =
    identity === undefined
      ? unique((own ?? config.defaultIdentityFiles).filter(isNotNone).map(path))
      : [resolve(expandHome(identity, context.localUser.home))];

  return {
    target,
    hostName,
    user,
    port,
    identityFiles,
    hasOwnIdentity: identity !== undefined || own !== undefined,
    identitiesOnly: identity !== undefined || isYes(config, "identitiesonly"),
    identityAgent: agentOf(config, tokens, context),
    certificateFiles: unique(
      (config.values.get("certificatefile") ?? []).filter(isNotNone).map(path),
    ),
    proxyJump,
    hostKeyAlias,
    userKnownHostsFiles:
      knownHosts === undefined
        ? userKnownHosts(config, tokens, context)
        : [resolve(expandHome(knownHosts, context.localUser.home))],
    globalKnownHostsFiles: (config.values.get("globalknownhostsfile") ?? defaultGlobalKnownHosts)
      .filter(isNotNone)
      .map((file) => resolve(underProgramData(file, context.env))),
    hashKnownHosts: isYes(config, "hashknownhosts"),
    strictHostKeyChecking: strictness(valueOf(config, "stricthostkeychecking")),
    serverAliveIntervalMs: secondsToMs(valueOf(config, "serveraliveinterval")) ?? 0,
    serverAliveCountMax: Number(valueOf(config, "serveralivecountmax") ?? 3),
    connectTimeoutMs: secondsToMs(valueOf(config, "connecttimeout")),
    localForwards: config.localForwards.map((forward) => expandSockets(forward, config, tokens)),
    addressFamily: familyOf(valueOf(config, "addressfamily")),
    bindAddress: valueOf(config, "bindaddress"),
    algorithms: algorithmsOf(config),
    preferredAuthentications: methodsOf(config),
    source: config.source,
    needsSystemSsh: await needsOfSystemSsh(config, identityFiles),
    ignored: ignoredSettings(config),
  };
}

function pathOf(text: string, tokens: Tokens, { env, localUser }: SettingsContext): string {
  return resolve(expand(expandHome(text, localUser.home), tokens, env));
}

function userKnownHosts(
  config: EffectiveConfig,
  tokens: Tokens,
  context: SettingsContext,
): readonly string[] {
  return (config.values.get("userknownhostsfile") ?? defaultUserKnownHosts)
    .filter(isNotNone)
    .map((file) => (isExpanded(file, config) ? resolve(file) : pathOf(file, tokens, context)));
}

/** Some paths `ssh -G` prints expanded; a `%` in them is one. */
function isExpanded(text: string, { source }: EffectiveConfig): boolean {
  return source === "ssh -G" && !text.startsWith("~") && !text.includes("${");
}

function agentOf(
  config: EffectiveConfig,
  tokens: Tokens,
  context: SettingsContext,
): string | undefined {
  const configured = valueOf(config, "identityagent");
  const isWindows = process.platform === "win32";
  const socketOf = (name: string): string | undefined =>
    // An empty variable is how shells switch the agent off.
    variable(context.env, name, isWindows) || undefined;
  if (configured === undefined || configured === "SSH_AUTH_SOCK") {
    return socketOf("SSH_AUTH_SOCK") ?? (isWindows ? WINDOWS_AGENT : undefined);
  }
  if (configured === "none") return undefined;
  if (/^\$[^{]/u.test(configured)) return socketOf(configured.slice(1));
  if (/^\\\\[.?]\\pipe\\/u.test(configured)) return configured;
  return isExpanded(configured, config) ? resolve(configured) : pathOf(configured, tokens, context);
}

function expandSockets(
  forward: ConfiguredForward,
  { source }: EffectiveConfig,
  tokens: Tokens,
): ConfiguredForward {
  if (source === "ssh -G") return forward;
  const { localPath, remotePath } = forward;
  return {
    ...forward,
    ...(localPath === undefined ? {} : { localPath: expand(localPath, tokens) }),
    ...(remotePath === undefined ? {} : { remotePath: expand(remotePath, tokens) }),
  };
}

function algorithmsOf(config: EffectiveConfig): AlgorithmSettings {
  const list = (keyword: AlgorithmKeyword): readonly string[] | undefined => {
    const value = valueOf(config, keyword);
    return value === undefined ? undefined : resolveAlgorithms(keyword, value);
  };
  const lists = {
    ciphers: list("ciphers"),
    macs: list("macs"),
    kexAlgorithms: list("kexalgorithms"),
    hostKeyAlgorithms: list("hostkeyalgorithms"),
    pubkeyAcceptedAlgorithms: list("pubkeyacceptedalgorithms"),
  };
  return Object.fromEntries(Object.entries(lists).filter(([, names]) => names !== undefined));
}

/** PreferredAuthentications, without the methods that are switched off by a keyword of their own. */
function methodsOf(config: EffectiveConfig): readonly string[] | undefined {
  const off = new Set([
    ...(isNo(config, "pubkeyauthentication") ? ["publickey"] : []),
    ...(isNo(config, "kbdinteractiveauthentication") ? ["keyboard-interactive"] : []),
    ...(isNo(config, "passwordauthentication") ? ["password"] : []),
  ]);
  const preferred = valueOf(config, "preferredauthentications")?.split(",");
  if (preferred === undefined && off.size === 0) return undefined;
  const methods = preferred ?? ["publickey", "keyboard-interactive", "password"];
  return methods.filter((method) => method !== "" && !off.has(method));
}

function strictness(value: string | undefined): SshSettings["strictHostKeyChecking"] {
  switch (value?.toLowerCase()) {
    case "yes":
    case "true":
      return "yes";
    // ssh prints `off` and `no` alike.
    case "no":
    case "off":
    case "false":
      return "no";
    case "accept-new":
      return "accept-new";
    default:
      return "ask";
  }
}

function familyOf(value: string | undefined): SshSettings["addressFamily"] {
  const family = value?.toLowerCase();
  return family === "inet" || family === "inet6" ? family : "any";
}

/** Seconds; `none` and 0 mean that nothing is set. */
function secondsToMs(value: string | undefined): number | undefined {
  const seconds = /^\d+$/u.test(value ?? "") ? Number(value) : 0;
  return seconds === 0 ? undefined : seconds * 1_000;
}

function isNotNone(value: string): boolean {
  return value.toLowerCase() !== "none";
}

function underProgramData(file: string, env: Env): string {
  return file.replace(
    /^__PROGRAMDATA__/u,
    () => variable(env, "ProgramData", true) ?? "C:\\ProgramData",
  );
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}
