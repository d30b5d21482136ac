import type { Env } from "./arguments/child-environment.ts";

/** Options of `createSystemEngine`. */
export interface SystemEngineOptions {
  /** Absolute path of ssh. @default found in the system's own directories, then on PATH */
  readonly sshProgram?: string | undefined;
  /** The user's environment. @default process.env */
  readonly env?: Env | undefined;
  /** Why this engine was chosen, for people. @default "asked for" */
  readonly reason?: string | undefined;
  /** As `TunnelOptions.sshConfig`. */
  readonly sshConfig?: string | false | undefined;
  /** As `TunnelOptions.identity`: given to ssh only then. */
  readonly identity?: string | undefined;
  /** As `TunnelOptions.knownHosts`: given to ssh only then. */
  readonly knownHosts?: string | undefined;
  /**
   * Has both sides send small packets at once, by running `true` in a session with a terminal before
   * anything else; without, one packet in a hundred waits for 40 ms. A key with a forced command runs
   * that one instead. @default false
   */
  readonly lowLatency?: boolean | undefined;
  /**
   * Whether this ssh can share a connection. Without, only the destinations that are known beforehand
   * can be reached, through ports of the loopback interface. @default all but Windows
   */
  readonly canShare?: boolean | undefined;
}

/** {@link SystemEngineOptions} with their defaults. */
export interface ResolvedSystemEngineOptions extends SystemEngineOptions {
  readonly sshProgram: string;
  readonly env: Env;
  readonly reason: string;
  readonly canShare: boolean;
}
