import type { TestProcess } from "../process-fixture.ts";
import type { SshKey } from "./ssh-keys.ts";

/** What a server changes when it is started again. */
export interface SshServerRestartOptions {
  /** Other host keys on the same port. @default the same keys */
  hostKeys?: readonly SshKey[];
  /** Other lines of configuration. @default the same lines */
  config?: readonly string[];
}

/** A real SSH server on 127.0.0.1, for the user who runs the tests. */
export interface SshServer extends AsyncDisposable {
  readonly host: "127.0.0.1";
  readonly port: number;
  readonly user: string;
  readonly hostKeys: readonly SshKey[];
  /** `[127.0.0.1]:port type key`, one line a host key, without a line break at the end. */
  readonly knownHostsLine: string;
  /** Where its files are; goes away with it. */
  readonly directory: string;
  /** The listening process; another one after {@link SshServer.restart}. */
  readonly process: TestProcess;
  /** What it has written, over all its starts. */
  readonly log: readonly string[];
  /** Lets the owner of that key in, from the next connection on. */
  authorize(publicKey: string): Promise<void>;
  /** The process of each connection, authenticated or not yet. */
  connections(): number[];
  /** SIGKILL for each session; the server goes on listening. */
  killConnections(): Promise<void>;
  /** SIGSTOP for the server and its sessions: connections stay open and nothing answers. */
  freeze(): void;
  /** SIGCONT for all of them. */
  thaw(): void;
  /** SIGKILL for the server and its sessions; the port is free then. */
  stop(): Promise<void>;
  /** Stops it if it runs, and starts it on the same port with the same keys. */
  restart(options?: SshServerRestartOptions): Promise<void>;
}

/** The lines of known_hosts for a server. */
export function knownHostsLines(port: number, hostKeys: readonly SshKey[]): string {
  return hostKeys
    .map(({ publicKey }) => `[127.0.0.1]:${port} ${publicKey.split(" ").slice(0, 2).join(" ")}`)
    .join("\n");
}
