import process from "node:process";
import { chooseEngine, needsOfSystemSsh } from "./engines/choose-engine.ts";
import type { Destination, EngineOptions, SshConnection } from "./engines/engine.ts";
import { TunnelError } from "./errors.ts";
import { parseFingerprint } from "./host-keys/fingerprint.ts";
import { isKnownOnlyByAuthority } from "./host-keys/known-hosts.ts";
import { silentLogger } from "./logger.ts";
import { findSshProgram } from "./settings/find-ssh-program.ts";
import { resolveHops, resolveSshSettings } from "./settings/resolve-settings.ts";
import type { SshSettings } from "./settings/ssh-settings.ts";
import type { SshTarget } from "./target.ts";
import { defaultTunnelOptions } from "./tunnel-defaults.ts";
import type { TunnelOptions } from "./tunnel.ts";

/** The longest a timer of Node can wait; ssh_config may ask for more. */
const MAX_MS = 2_147_483_647;

/** The effective settings of a target and of the hosts on the way to it. */
export interface Route {
  readonly settings: SshSettings;
  readonly hops: readonly SshSettings[];
}

/**
 * Reads ssh_config for the target and for its jump chain.
 *
 * @throws TunnelError `INVALID_SSH_CONFIG`
 */
export async function resolveRoute(
  target: SshTarget,
  options: TunnelOptions,
  signal?: AbortSignal,
): Promise<Route> {
  const from = {
    env: options.env ?? process.env,
    ...(options.identity === undefined ? {} : { identity: options.identity }),
    ...(options.sshConfig === undefined ? {} : { sshConfig: options.sshConfig }),
    ...(options.knownHosts === undefined ? {} : { knownHosts: options.knownHosts }),
    ...(options.sshProgram === undefined ? {} : { sshProgram: options.sshProgram }),
    ...(signal === undefined ? {} : { signal }),
  };
  const settings = await resolveSshSettings(target, from);
  return { settings, hops: await resolveHops(settings, from) };
}

/**
 * Opens one connection over a route, with the engine that it needs.
 *
 * @throws TunnelError
 */
export async function openConnection(
  route: Route,
  options: TunnelOptions,
  destinations: readonly Destination[],
  signal: AbortSignal,
  { maxConnectMs = Number.POSITIVE_INFINITY }: { maxConnectMs?: number } = {},
): Promise<SshConnection> {
  const { settings, hops } = route;
  const env = options.env ?? process.env;
  const needs = [...needsOfSystemSsh(settings, hops), ...(await lackingInSsh2(route))];
  if (options.engine !== "system" && (await needsCertificate(route, options))) {
    needs.push("@cert-authority (the host is known by the authority that signed its key)");
  }
  const program = options.sshProgram ?? findSshProgram(env);
  const choice = chooseEngine(options.engine, needs, program);
  const wanted = engineOptionsOf(route, options, destinations);
  const engineOptions: EngineOptions = {
    ...wanted,
    connectTimeoutMs: Math.min(wanted.connectTimeoutMs, maxConnectMs),
  };
  if (choice.name === "system" && program !== undefined) {
    const { createSystemEngine } = await import("./engines/system/open-system-connection.ts");
    const open = createSystemEngine({
      sshProgram: program,
      env,
      reason: choice.reason,
      ...(options.sshConfig === undefined ? {} : { sshConfig: options.sshConfig }),
      ...(options.identity === undefined ? {} : { identity: options.identity }),
      ...(options.knownHosts === undefined ? {} : { knownHosts: options.knownHosts }),
    });
    return open(engineOptions, signal);
  }
  const { openSsh2Connection } = await import("./engines/ssh2/open-ssh2-connection.ts");
  return openSsh2Connection(engineOptions, signal, choice.reason);
}

/** Lists of algorithms are rare, and ssh2 takes its time to load. */
async function lackingInSsh2({ settings, hops }: Route): Promise<readonly string[]> {
  const lists = [...hops, settings].map(({ algorithms }) => algorithms);
  if (lists.every((algorithms) => Object.keys(algorithms).length === 0)) return [];
  const { lackingAlgorithms } = await import("./engines/ssh2/algorithms.ts");
  return lists.flatMap(lackingAlgorithms);
}

/** Whether a host has to show a certificate, which the engine in this process cannot check. */
async function needsCertificate(
  { settings, hops }: Route,
  options: TunnelOptions,
): Promise<boolean> {
  const { engine, hostKeyPolicy = "strict", hostKeyFingerprint } = options;
  const asked = [...hops, ...(hostKeyFingerprint === undefined ? [settings] : [])].filter(
    // Whoever insists on that engine and takes new keys gets the plain one recorded.
    ({ strictHostKeyChecking }) =>
      engine === undefined ||
      hostKeyPolicy === "strict" ||
      (hostKeyPolicy === "openssh" && /^(?:yes|ask)$/u.test(strictHostKeyChecking)),
  );
  return (await Promise.all(asked.map(isKnownOnlyByAuthority))).includes(true);
}

function engineOptionsOf(
  { settings, hops }: Route,
  options: TunnelOptions,
  destinations: readonly Destination[],
): EngineOptions {
  const { hostKeyFingerprint } = options;
  return {
    settings,
    hops,
    hostKeyPolicy: options.hostKeyPolicy ?? "strict",
    hostKeyFingerprint:
      hostKeyFingerprint === undefined ? undefined : parseFingerprint(hostKeyFingerprint),
    onNewHostKey: options.onNewHostKey,
    authentication: options.authentication ?? {},
    connectTimeoutMs: Math.min(
      options.connectTimeoutMs ??
        settings.connectTimeoutMs ??
        defaultTunnelOptions.connectTimeoutMs,
      MAX_MS,
    ),
    keepaliveIntervalMs: Math.min(
      options.keepaliveIntervalMs ??
        (settings.serverAliveIntervalMs || defaultTunnelOptions.keepaliveIntervalMs),
      MAX_MS,
    ),
    keepaliveCountMax:
      options.keepaliveCountMax ??
      (settings.serverAliveIntervalMs > 0
        ? settings.serverAliveCountMax
        : defaultTunnelOptions.keepaliveCountMax),
    destinations,
    stateDirectory: options.stateDirectory,
    logger: options.logger ?? silentLogger,
  };
}

/** What a number has to be, for people, and whether it is. */
const NUMBERS = {
  "more than 0": (value: number) => value > 0 && value <= MAX_MS,
  "0 or more": (value: number) => value >= 0 && value <= MAX_MS,
  "a whole number of 1 or more": (value: number) => Number.isInteger(value) && value >= 1,
} as const;

/**
 * Options that can be checked before anything is dialled.
 *
 * @throws TunnelError `INVALID_OPTION`
 */
export function checkOptions(options: TunnelOptions): void {
  const { hostKeyFingerprint, backoff } = options;
  if (hostKeyFingerprint !== undefined) parseFingerprint(hostKeyFingerprint);
  checkWord("engine", options.engine, ["ssh2", "system"]);
  checkWord("hostKeyPolicy", options.hostKeyPolicy, ["strict", "accept-new", "openssh"]);
  checkNumber("connectTimeoutMs", options.connectTimeoutMs, "more than 0");
  checkNumber("keepaliveIntervalMs", options.keepaliveIntervalMs, "more than 0");
  checkNumber("keepaliveCountMax", options.keepaliveCountMax, "a whole number of 1 or more");
  checkNumber("waitTimeoutMs", options.waitTimeoutMs, "more than 0");
  checkNumber("maxWaiting", options.maxWaiting, "a whole number of 1 or more");
  checkNumber("stableAfterMs", options.stableAfterMs, "more than 0");
  checkNumber("backoff.baseMs", backoff?.baseMs, "0 or more");
  checkNumber("backoff.maxMs", backoff?.maxMs, "0 or more");
}

/** For callers without types, or with words from a file. */
function checkWord(name: string, value: string | undefined, words: readonly string[]): void {
  if (value === undefined || words.includes(value)) return;
  const list = words.join(", ");
  throw new TunnelError("INVALID_OPTION", `${name} is "${value}"; it is one of ${list}.`);
}

function checkNumber(name: string, value: number | undefined, kind: keyof typeof NUMBERS): void {
  if (value === undefined || NUMBERS[kind](value)) return;
  throw new TunnelError("INVALID_OPTION", `${name} is ${value}; it has to be ${kind}.`);
}
