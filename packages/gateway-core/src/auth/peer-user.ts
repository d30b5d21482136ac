/** The person behind a connection, as somebody we trust has named them. */
export interface PeerUser {
  /** An account name, most often an e-mail address. */
  login: string;
  name?: string;
  provider: "tailscale" | "trusted-proxy";
}
