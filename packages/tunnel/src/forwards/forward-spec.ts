/** One forward: a local listener, and where its connections lead on the far side. */
export interface ForwardSpec {
  /** 0 is any free port. Not with `localPath`. @default 0 */
  readonly localPort?: number | undefined;
  /** Address to listen on. Another than loopback opens the far side to your network. @default "127.0.0.1" */
  readonly localHost?: string | undefined;
  /** Unix socket to listen on, mode 0600, instead of a port. */
  readonly localPath?: string | undefined;
  /** Host as seen from the far side. @default "127.0.0.1" */
  readonly remoteHost?: string | undefined;
  readonly remotePort?: number | undefined;
  /** Unix socket on the far side, instead of a host and port. */
  readonly remotePath?: string | undefined;
}
