import type { Duplex } from "node:stream";
import type { TunnelError } from "../errors.ts";
import type { Logger } from "../logger.ts";
import type { HostKeyPolicy, SshSettings } from "../settings/ssh-settings.ts";

/** Where a forward leads, as seen from the far side. */
export type Destination =
  | { readonly host: string; readonly port: number }
  | { readonly socketPath: string };

/** Questions that only a person or a keychain can answer. Without a callback nothing ever prompts. */
export interface AuthenticationCallbacks {
  /** Opens an encrypted identity file; undefined gives the file up. */
  readonly passphrase?: (identityFile: string, attempt: number) => Promise<string | undefined>;
  /** Answers the `password` method; undefined gives it up. */
  readonly password?: (prompt: { user: string; host: string }) => Promise<string | undefined>;
  /** Answers `keyboard-interactive`, one answer a prompt; undefined gives it up. */
  readonly keyboardInteractive?: (request: {
    readonly name: string;
    readonly instructions: string;
    readonly prompts: readonly { readonly text: string; readonly echo: boolean }[];
  }) => Promise<readonly string[] | undefined>;
}

/** A host key, as the far side has shown it. */
export interface ShownHostKey {
  /** Name under which it is looked up: HostKeyAlias, else the host; with `[host]:port` where not 22. */
  readonly name: string;
  readonly keyType: string;
  /** `SHA256:` and unpadded base64, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
}

/** What both engines are given. Times are milliseconds. */
export interface EngineOptions {
  readonly settings: SshSettings;
  /** Settings of each host of `settings.proxyJump`, in the same order. */
  readonly hops: readonly SshSettings[];
  readonly hostKeyPolicy: HostKeyPolicy;
  /** The only host key to accept, as `SHA256:…`; known_hosts is then not asked. */
  readonly hostKeyFingerprint: string | undefined;
  /** Told when `accept-new` has recorded a key. */
  readonly onNewHostKey: ((key: ShownHostKey) => void) | undefined;
  readonly authentication: AuthenticationCallbacks;
  /** For the dial, the handshake and the authentication together; callbacks that ask a person do not count. */
  readonly connectTimeoutMs: number;
  readonly keepaliveIntervalMs: number;
  /** Unanswered probes after which the far side counts as dead. */
  readonly keepaliveCountMax: number;
  /** Destinations that will be asked for: an engine may prepare them. */
  readonly destinations: readonly Destination[];
  /** Where an engine may keep what outlives the process (0700). */
  readonly stateDirectory: string | undefined;
  readonly logger: Logger;
}

/** What carries a tunnel, for people and for `tunnel status`. */
export interface EngineInfo {
  readonly name: "ssh2" | "system";
  /** Version of the library or of the program. */
  readonly version: string;
  /** Why it was chosen. */
  readonly reason: string;
  /** Where the cipher runs: ssh2's native binding, JavaScript over node:crypto, or the program. */
  readonly cryptography: "native" | "javascript" | "openssh";
  readonly cipher?: string | undefined;
  readonly serverVersion?: string | undefined;
  readonly hostKey?: ShownHostKey | undefined;
  /** Process of the system's ssh. */
  readonly pid?: number | undefined;
}

export interface RemoteCommandOptions {
  readonly signal?: AbortSignal | undefined;
  /** @default 30_000 */
  readonly timeoutMs?: number | undefined;
  /** More than this of one stream is cut off. @default 1 MiB */
  readonly maxOutputBytes?: number | undefined;
}

export interface RemoteCommandResult {
  /** null when a signal ended the command. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One authenticated SSH connection. It never reconnects: that is the tunnel's task. */
export interface SshConnection {
  readonly info: EngineInfo;
  /**
   * Opens a channel. Both directions end on their own (`allowHalfOpen`), and carry backpressure.
   *
   * @throws {@link TunnelError} `REMOTE_PORT_CLOSED`, `FORWARD_REFUSED`, `TIMED_OUT`,
   * `CONNECTION_LOST`
   */
  connect(
    destination: Destination,
    options?: { signal?: AbortSignal | undefined },
  ): Promise<Duplex>;
  /**
   * Runs one command on the far side, through the login shell there.
   *
   * @throws {@link TunnelError} `COMMAND_REFUSED`, `TIMED_OUT`, `CONNECTION_LOST`
   */
  run(command: string, options?: RemoteCommandOptions): Promise<RemoteCommandResult>;
  /** Asks for a sign of life now. Resolves when it came; no answer ends the connection. */
  probe(timeoutMs: number): Promise<void>;
  /** Ends with a goodbye; after at most 500 ms without one. */
  close(): Promise<void>;
  /** Drops everything now. */
  terminate(): void;
  /** Settles once, never rejects, when nothing of the connection is left; undefined after `close()`. */
  readonly closed: Promise<TunnelError | undefined>;
}

/**
 * Dials, checks the host key, authenticates.
 *
 * @throws {@link TunnelError}, with nothing left behind
 */
export type OpenSshConnection = (
  options: EngineOptions,
  signal: AbortSignal,
) => Promise<SshConnection>;
