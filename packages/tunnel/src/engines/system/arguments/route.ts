import { join } from "node:path";
import { type KnownHost, readKnownHosts } from "../../../host-keys/known-hosts.ts";
import { knownHostsName } from "../../../host-keys/known-hosts-name.ts";
import type { SshSettings } from "../../../settings/ssh-settings.ts";
import type { EngineOptions } from "../../engine.ts";
import { assertSafe, type ExpectedSharing } from "./safety-check.ts";
import { chainCommand, hopArguments, type HopCommand, targetArguments } from "./ssh-arguments.ts";
import {
  keepaliveOptions,
  keyCheckingOf,
  quoteConfigPath,
  safeOptions,
  type SshOption,
} from "./ssh-options.ts";
import { isAtLeast, type SshVersion } from "./ssh-version.ts";
import type { ResolvedSystemEngineOptions } from "../system-engine-options.ts";

/** For one `ssh -G`, which takes milliseconds unless a command of `Match exec` is slow. */
const ASK_TIMEOUT_MS = 5_000;

/** A host on the way, and where its ssh writes. */
export interface HopOnRoute extends HopCommand {
  readonly known: KnownHost;
}

/** How to start ssh for one connection, checked. */
export interface SystemRoute {
  readonly args: readonly string[];
  readonly hops: readonly HopOnRoute[];
  readonly known: KnownHost;
  /** Whether a program carries the connection: one of the user's, or the chain. */
  readonly usesProxyCommand: boolean;
}

export interface PlanRouteInput {
  readonly using: ResolvedSystemEngineOptions;
  readonly options: EngineOptions;
  readonly version: SshVersion;
  readonly env: Readonly<Record<string, string>>;
  readonly directory: string;
  /** What to switch off because nobody could answer it; undefined where nobody is to be asked at all. */
  readonly asking: readonly SshOption[] | undefined;
  /** More options for the target; they come first. */
  readonly more: readonly SshOption[];
  readonly sharing: ExpectedSharing;
  readonly signal: AbortSignal;
}

/**
 * Puts together how ssh is started, and has ssh itself confirm that it then does nothing else.
 *
 * @throws {@link TunnelError} `UNSAFE_SSH_CONFIG`, `INVALID_SSH_CONFIG`, `ENGINE_MISSING`
 */
export async function planRoute(input: PlanRouteInput): Promise<SystemRoute> {
  const { using, options, version, env, directory, sharing, signal } = input;
  const program = { program: using.sshProgram, sshConfig: using.sshConfig };
  const [known, ...hopsKnown] = await Promise.all(
    [options.settings, ...options.hops].map(knownHostOf),
  );
  if (known === undefined) throw new Error("a route has a target");
  const hops = options.hops.map((settings, index): HopOnRoute => {
    const hopKnown = hopsKnown[index] ?? known;
    const hopOptions = [...baseOptions(input, settings, hopKnown), ...unshared];
    // Its stdin is the connection.
    const stdin: readonly SshOption[] = isAtLeast(version, { major: 8, minor: 7 })
      ? [["StdinNull", "no"]]
      : [];
    return {
      settings,
      known: hopKnown,
      options: [...hopOptions, ...stdin],
      logFile: join(directory, `hop${index}.log`),
    };
  });
  const chain = chainCommand(program, hops, options.settings);
  const targetOptions: readonly SshOption[] = [
    ...input.more,
    ...(chain === undefined ? [] : ([["ProxyCommand", chain]] as const)),
    ...baseOptions(input, options.settings, known),
    ...keepaliveOptions(options.keepaliveIntervalMs, options.keepaliveCountMax),
    ...knownHostsOptions(using, options.settings),
    ...identityOptions(using),
  ];
  const identities = using.identity === undefined ? [] : options.settings.identityFiles;
  const args = targetArguments(program, options.settings, targetOptions, identities);
  const question = { program: using.sshProgram, env, timeoutMs: ASK_TIMEOUT_MS, signal };
  const [printed] = await Promise.all([
    assertSafe({ ...question, args, options: firstOfEach(targetOptions), sharing }),
    ...hops.map((hop, index) =>
      assertSafe({
        ...question,
        args: hopArguments(program, hop, nextOf(options, index)),
        options: hop.options,
        sharing: { controlPath: undefined },
      }),
    ),
  ]);
  const others = (printed.get("identityfile") ?? []).length - identities.length;
  if (identities.length > 0 && others > 0) {
    options.logger.debug({ others }, "the ssh config names more identities; ssh tries them later");
  }
  const proxyCommand = printed.get("proxycommand")?.[0] ?? "none";
  return { args, hops, known, usesProxyCommand: proxyCommand !== "none" };
}

/** No other connection may use this one, nor this one another. */
export const unshared: readonly SshOption[] = [
  ["ControlMaster", "no"],
  ["ControlPath", "none"],
];

async function knownHostOf(settings: SshSettings): Promise<KnownHost> {
  const hosts = await readKnownHosts([
    ...settings.userKnownHostsFiles,
    ...settings.globalKnownHostsFiles,
  ]);
  return hosts.lookup(knownHostsName(settings));
}

function baseOptions(
  { options, version, asking }: PlanRouteInput,
  settings: SshSettings,
  { keys, authorities }: KnownHost,
): readonly SshOption[] {
  const isKnown = keys.length + authorities.length > 0;
  const safe = safeOptions({
    version,
    mayAsk: asking !== undefined,
    connectTimeoutMs: options.connectTimeoutMs,
    keyChecking: keyCheckingOf(options.hostKeyPolicy, settings, isKnown),
  });
  return [...safe, ...(asking ?? [])];
}

function knownHostsOptions(
  { knownHosts }: ResolvedSystemEngineOptions,
  { userKnownHostsFiles }: SshSettings,
): readonly SshOption[] {
  if (knownHosts === undefined) return [];
  return [["UserKnownHostsFile", userKnownHostsFiles.map(quoteConfigPath).join(" ")]];
}

function identityOptions({ identity }: ResolvedSystemEngineOptions): readonly SshOption[] {
  return identity === undefined ? [] : [["IdentitiesOnly", "yes"]];
}

/** As ssh takes them. */
function firstOfEach(options: readonly SshOption[]): readonly SshOption[] {
  const names = new Set<string>();
  return options.filter(([name]) => !names.has(name) && names.add(name));
}

function nextOf({ hops, settings }: EngineOptions, index: number): string {
  const { hostName, port } = hops[index + 1] ?? settings;
  return `[${hostName}]:${port}`;
}
