/** What hinders Tailscale from serving the Gateway. */
export type TailscaleErrorCode =
  /** No `tailscale` program was found, or it cannot be started. */
  | "TAILSCALE_NOT_INSTALLED"
  /** The program is there and its daemon does not answer, or is stopped. */
  | "TAILSCALE_NOT_RUNNING"
  /** The machine is not logged in to a tailnet; `details.link` is where to, if the tool says so. */
  | "TAILSCALE_NEEDS_LOGIN"
  /** The machine waits for the approval of a tailnet admin. */
  | "TAILSCALE_NOT_APPROVED"
  /** The daemon is still starting when the time to wait for it is over. */
  | "TAILSCALE_STARTING"
  /** This user may not change what is served; the hint is the one command that cures it. */
  | "TAILSCALE_NO_RIGHTS"
  /** The tailnet issues no HTTPS certificates, so nothing can be served; `details.link` turns it on. */
  | "TAILSCALE_HTTPS_DISABLED"
  /** The tailnet does not allow Funnel to this machine; `details.link` turns it on. */
  | "TAILSCALE_FUNNEL_DISABLED"
  /** The machine has no name in the tailnet: MagicDNS is off. */
  | "TAILSCALE_NO_DNS_NAME"
  /** The program is too old for the commands that are needed. */
  | "TAILSCALE_TOO_OLD"
  /** Port 443 of the machine's tailnet name already serves something that is not ours. */
  | "TAILSCALE_ROUTE_CONFLICT"
  /** Another running Gateway holds the exposure that this record stands for; `details.pid`. */
  | "TAILSCALE_EXPOSURE_HELD"
  /** The table read back is not what was asked for. */
  | "TAILSCALE_READBACK_MISMATCH"
  /** The program did not end within its limit. */
  | "TAILSCALE_TIMEOUT"
  /** The program printed something else than it should, or too much. */
  | "TAILSCALE_BAD_OUTPUT"
  /** The program failed for another reason; `details.output` is what it said. */
  | "TAILSCALE_FAILED"
  /** The file that says which route is ours cannot be read, written or understood. */
  | "TAILSCALE_RECORD_UNREADABLE";
