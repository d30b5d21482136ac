import type { SshTarget } from "../target.ts";

/** How strict an unknown host key is taken. */
export type HostKeyPolicy =
  /** Only keys that are known. */
  | "strict"
  /** A host that has no key yet is recorded; a changed key is refused all the same. */
  | "accept-new"
  /** What StrictHostKeyChecking of ssh_config says; `no` and `off` count as `accept-new`, `ask` as `strict`. */
  | "openssh";

/** A forward that ssh_config has under `LocalForward`. */
export interface ConfiguredForward {
  readonly localHost?: string;
  readonly localPort?: number;
  readonly localPath?: string;
  readonly remoteHost?: string;
  readonly remotePort?: number;
  readonly remotePath?: string;
}

/** Lists of ssh_config; undefined means the engine's own. */
export interface AlgorithmSettings {
  readonly ciphers?: readonly string[];
  readonly macs?: readonly string[];
  readonly kexAlgorithms?: readonly string[];
  readonly hostKeyAlgorithms?: readonly string[];
  readonly pubkeyAcceptedAlgorithms?: readonly string[];
}

/**
 * The effective settings of one host: the target, completed by ssh_config as `ssh` reads it. Paths
 * are absolute, `~` and `%` tokens expanded.
 */
export interface SshSettings {
  /** As it was named. */
  readonly target: SshTarget;
  readonly hostName: string;
  readonly user: string;
  readonly port: number;
  /** Private keys to try, in order. Files that do not exist may be among the defaults. */
  readonly identityFiles: readonly string[];
  /** Whether the user named those files: then a missing one is an error, not a default to skip. */
  readonly hasOwnIdentity: boolean;
  /** Offer no agent key that is not one of `identityFiles`. */
  readonly identitiesOnly: boolean;
  /** Socket of the agent; undefined without one, or after `IdentityAgent none`. */
  readonly identityAgent: string | undefined;
  readonly certificateFiles: readonly string[];
  /** Hosts to go through, the first hop first. */
  readonly proxyJump: readonly SshTarget[];
  /** Name under which the host's keys are known, instead of `hostName`. */
  readonly hostKeyAlias: string | undefined;
  readonly userKnownHostsFiles: readonly string[];
  readonly globalKnownHostsFiles: readonly string[];
  /** `UserKnownHostsFile` is written with hashed names. */
  readonly hashKnownHosts: boolean;
  /** StrictHostKeyChecking. */
  readonly strictHostKeyChecking: "yes" | "no" | "ask" | "accept-new" | "off";
  /** 0 means that ssh_config switches it off or says nothing. */
  readonly serverAliveIntervalMs: number;
  readonly serverAliveCountMax: number;
  /** undefined where ssh_config says nothing. */
  readonly connectTimeoutMs: number | undefined;
  readonly localForwards: readonly ConfiguredForward[];
  readonly addressFamily: "any" | "inet" | "inet6";
  /** Local address to connect from. */
  readonly bindAddress: string | undefined;
  readonly algorithms: AlgorithmSettings;
  /** Methods in the order to try them, e.g. `publickey`, `password`. */
  readonly preferredAuthentications: readonly string[] | undefined;
  /** `ssh -G`, or the files themselves where there is no ssh program. */
  readonly source: "ssh -G" | "ssh-config";
  /**
   * What only the system's ssh can do, each with a reason for people, for example
   * `ProxyCommand (a program carries the connection)`.
   */
  readonly needsSystemSsh: readonly string[];
  /** What is set and no engine of ours honours, by the name of ssh_config. */
  readonly ignored: readonly string[];
}
