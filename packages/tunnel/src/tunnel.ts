import type { Duplex } from "node:stream";
import type {
  AuthenticationCallbacks,
  RemoteCommandOptions,
  RemoteCommandResult,
  ShownHostKey,
} from "./engines/engine.ts";
import type { TunnelError } from "./errors.ts";
import type { ForwardSpec } from "./forwards/forward-spec.ts";
import type { Logger } from "./logger.ts";
import type { HostKeyPolicy } from "./settings/ssh-settings.ts";
import type { SshTarget } from "./target.ts";
import type { TunnelState } from "./tunnel-state.ts";

/** Options of `openTunnel` and `createTunnel`. Times are milliseconds. */
export interface TunnelOptions {
  /** Local listeners. @default none: `connect()` needs none */
  readonly forwards?: readonly ForwardSpec[] | undefined;
  /** Also those that ssh_config has under LocalForward. @default false */
  readonly configuredForwards?: boolean | undefined;
  /** Private key to use instead of those of ssh_config; then no other key is offered. `~` is expanded. */
  readonly identity?: string | undefined;
  /** Local user's ssh_config. `false` reads none at all. @default ~/.ssh/config and the system's */
  readonly sshConfig?: string | false | undefined;
  /** Instead of the UserKnownHostsFile of ssh_config; the system's files still count. */
  readonly knownHosts?: string | undefined;
  /** @default "strict" */
  readonly hostKeyPolicy?: HostKeyPolicy | undefined;
  /** The only host key to accept, as `SHA256:…`; known_hosts is then not asked. */
  readonly hostKeyFingerprint?: string | undefined;
  /** Told when `accept-new` has recorded a key. */
  readonly onNewHostKey?: ((key: ShownHostKey) => void) | undefined;
  /** Answers what only a person can. Without a callback nothing ever prompts. */
  readonly authentication?: AuthenticationCallbacks | undefined;
  /** `ssh2` runs in this process, `system` is the ssh program. @default ssh2, unless the settings need the program */
  readonly engine?: "ssh2" | "system" | undefined;
  /** The ssh program. @default found in the system's own directories, then on PATH */
  readonly sshProgram?: string | undefined;
  /** For one attempt: dial, handshake and authentication. @default ConnectTimeout, else 10_000 */
  readonly connectTimeoutMs?: number | undefined;
  /** Silence after which the far side is asked for a sign of life. @default ServerAliveInterval, else 15_000 */
  readonly keepaliveIntervalMs?: number | undefined;
  /** Unanswered questions after which it counts as dead. @default ServerAliveCountMax, else 3 */
  readonly keepaliveCountMax?: number | undefined;
  /** Comes back after a lost connection. @default true */
  readonly reconnect?: boolean | undefined;
  /** Pauses between attempts, with full jitter. @default 250 doubling to 15_000 */
  readonly backoff?: { readonly baseMs?: number; readonly maxMs?: number } | undefined;
  /** A connection that stood this long starts the backoff anew. @default 10_000 */
  readonly stableAfterMs?: number | undefined;
  /** How long a local connection or a `connect()` waits for the tunnel to come back. @default 15_000 */
  readonly waitTimeoutMs?: number | undefined;
  /** How many may wait at once. @default 128 */
  readonly maxWaiting?: number | undefined;
  /** A busy local port is replaced by a free one, and said so in `forwards`. @default false */
  readonly fallbackPort?: boolean | undefined;
  /** Where children are recorded, so that a later run can end what a killed one left (0700). @default none */
  readonly stateDirectory?: string | undefined;
  /** Closes the tunnel. */
  readonly signal?: AbortSignal | undefined;
  readonly logger?: Logger | undefined;
  /** Told of each change of {@link Tunnel.state}. */
  readonly onState?: ((state: TunnelState) => void) | undefined;
  /** Environment to read HOME, SSH_AUTH_SOCK and PATH from. @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Source of jitter, 0 ≤ x < 1. @default Math.random */
  readonly random?: (() => number) | undefined;
}

/** A forward that listens. */
export interface OpenForward {
  /** What local programs connect to. */
  readonly local: { readonly host: string; readonly port: number } | { readonly path: string };
  readonly remote: { readonly host: string; readonly port: number } | { readonly path: string };
  /** The port that was asked for, where a free one replaced it. */
  readonly insteadOf: number | undefined;
  /** Connections that are open now. */
  readonly connections: number;
  /** Connections that wait for the tunnel to come back. */
  readonly waiting: number;
  /** Bytes from the far side, so far. */
  readonly bytesIn: number;
  /** Bytes to the far side, so far. */
  readonly bytesOut: number;
}

/** An SSH connection that comes back by itself, and what goes through it. */
export interface Tunnel extends AsyncDisposable {
  readonly target: SshTarget;
  readonly state: TunnelState;
  /** The local listeners; they listen from the start until `close()`, also while the connection is away. */
  readonly forwards: readonly OpenForward[];
  /**
   * Resolves when the tunnel is open and its forwards listen.
   *
   * @throws {@link TunnelError} when the first attempt failed for good, or the tunnel was closed
   */
  opened(): Promise<void>;
  /**
   * Resolves when the tunnel is open, at once if it is, and waits as long as it takes if it is away:
   * for whoever has a connection of his own to renew.
   *
   * @throws {@link TunnelError} the cause that closed the tunnel; the reason of the signal
   */
  ready(options?: { signal?: AbortSignal | undefined }): Promise<void>;
  /**
   * A stream straight through, without a local port. Waits while the tunnel is away. Ends of both
   * directions pass through, and so does backpressure.
   *
   * @throws {@link TunnelError} `WAIT_EXPIRED`, `TOO_MANY_WAITING`, `REMOTE_PORT_CLOSED`,
   * `FORWARD_REFUSED`, `CLOSED`, or the cause that closed the tunnel
   */
  connect(
    destination: TunnelDestination,
    options?: { signal?: AbortSignal | undefined },
  ): Promise<Duplex>;
  /** Runs one command on the far side, through the login shell there. Waits while the tunnel is away. */
  run(command: string, options?: RemoteCommandOptions): Promise<RemoteCommandResult>;
  /** Asks the far side for a sign of life now, for example after this machine has slept. */
  probe(): Promise<void>;
  /** Ends listeners, connections and processes; at most a second. Further calls return the first promise. */
  close(): Promise<void>;
  /** Settles once, never rejects; undefined after `close()`. */
  readonly closed: Promise<TunnelError | undefined>;
}

/** Where `connect()` leads, as seen from the far side. */
export type TunnelDestination =
  | {
      /** @default "127.0.0.1" */
      readonly host?: string | undefined;
      readonly port: number;
    }
  | { readonly socketPath: string };
