import { readFileSync } from "node:fs";
import type { SshTestRig } from "@openclaw/testkit";
import type { EngineOptions, SshConnection } from "../../src/engines/engine.ts";
import { createSystemEngine } from "../../src/engines/system/open-system-connection.ts";
import type { SystemEngineOptions } from "../../src/engines/system/system-engine-options.ts";
import { silentLogger } from "../../src/logger.ts";
import type { SshSettings } from "../../src/settings/ssh-settings.ts";

/** What of a rig says how to log in. */
export type Rig = Pick<SshTestRig, "identity" | "knownHosts"> & {
  readonly server: Pick<SshTestRig["server"], "host" | "port" | "user">;
};

/** Settings of the server of a rig, as they would be without any configuration. */
export function settingsFor({ server, identity, knownHosts }: Rig): SshSettings {
  return {
    target: { host: server.host, port: server.port, user: server.user },
    hostName: server.host,
    user: server.user,
    port: server.port,
    identityFiles: [identity],
    hasOwnIdentity: true,
    identitiesOnly: true,
    identityAgent: undefined,
    certificateFiles: [],
    proxyJump: [],
    hostKeyAlias: undefined,
    userKnownHostsFiles: [knownHosts],
    globalKnownHostsFiles: ["/dev/null"],
    hashKnownHosts: false,
    strictHostKeyChecking: "ask",
    serverAliveIntervalMs: 0,
    serverAliveCountMax: 3,
    connectTimeoutMs: undefined,
    localForwards: [],
    addressFamily: "any",
    bindAddress: undefined,
    algorithms: {},
    preferredAuthentications: undefined,
    source: "ssh -G",
    needsSystemSsh: [],
    ignored: [],
  };
}

export function engineOptionsFor(rig: Rig, more: Partial<EngineOptions> = {}): EngineOptions {
  return {
    settings: settingsFor(rig),
    hops: [],
    hostKeyPolicy: "strict",
    hostKeyFingerprint: undefined,
    onNewHostKey: undefined,
    authentication: {},
    connectTimeoutMs: 20_000,
    keepaliveIntervalMs: 15_000,
    keepaliveCountMax: 3,
    destinations: [],
    stateDirectory: undefined,
    logger: silentLogger,
    ...more,
  };
}

export interface OpenOptions {
  readonly engine?: SystemEngineOptions;
  readonly options?: Partial<EngineOptions>;
  readonly signal?: AbortSignal;
}

/** A connection through the system's ssh, closed at the end of the test. */
export async function openTo(
  rig: Rig & Pick<SshTestRig, "env">,
  { engine = {}, options = {}, signal = new AbortController().signal }: OpenOptions = {},
): Promise<SshConnection & AsyncDisposable> {
  const open = createSystemEngine({
    env: rig.env,
    sshConfig: false,
    identity: rig.identity,
    knownHosts: rig.knownHosts,
    ...engine,
  });
  const connection = await open(engineOptionsFor(rig, options), signal);
  return Object.assign(connection, { [Symbol.asyncDispose]: () => connection.close() });
}

/** Whether a process runs; one that has ended and waits for its parent to notice does not. */
export function isRunning(pid: number | undefined): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !/^[ZX]/u.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}

/** The most memory that a process has had so far; 0 where the system does not say. */
export function peakMemoryBytes(pid: number | undefined): number {
  if (process.platform !== "linux") return 0;
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+) kB$/mu.exec(status)?.[1]) * 1024;
}
