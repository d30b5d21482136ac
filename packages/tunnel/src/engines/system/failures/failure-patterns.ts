import type { TunnelErrorCode } from "../../../errors.ts";
import type { ConnectStage } from "../ssh-log.ts";

/** What a line of ssh means. Host keys and authentication have decisions of their own. */
export interface FailurePattern {
  readonly pattern: RegExp;
  readonly code: TunnelErrorCode | "HOST_KEY" | "AUTHENTICATION" | "CONFIGURATION";
  /** When the line counts: what a server writes later must not pass for it. */
  readonly stages: readonly ConnectStage[];
}

const BEFORE_ENCRYPTION = ["connect", "handshake"] as const;
const ANY = ["connect", "handshake", "authentication", "keepalive"] as const;

const UNREACHABLE =
  "No route to host|Network is unreachable|Host is down|Network is down|Host is unreachable|" +
  "Cannot assign requested address|Can't assign requested address|Permission denied|Operation not permitted";

/**
 * The messages of OpenSSH, the telling ones first: the first pattern that fits any line decides. The
 * texts are those of the portable release; of what the system's library says, those of glibc, musl and
 * macOS.
 */
export const failurePatterns: readonly FailurePattern[] = [
  {
    pattern: /: line \d+: |^Bad owner or permissions on |^Can't open user config file /u,
    code: "CONFIGURATION",
    stages: ["connect"],
  },
  {
    pattern: /^(?:ssh: )?Could not resolve hostname /u,
    code: "NAME_NOT_RESOLVED",
    stages: ["connect"],
  },
  {
    pattern: /^(?:ssh: )?connect to (?:host|address) .*: Connection refused$/u,
    code: "CONNECTION_REFUSED",
    stages: ["connect"],
  },
  {
    pattern: new RegExp(`^(?:ssh: )?connect to (?:host|address) .*: (?:${UNREACHABLE})$`, "u"),
    code: "HOST_UNREACHABLE",
    stages: ["connect"],
  },
  {
    pattern: /^(?:ssh: )?connect to (?:host|address) .*: .*timed out$/u,
    code: "TIMED_OUT",
    stages: ["connect"],
  },
  {
    pattern: /^(?:ssh: )?connect to (?:host|address) /u,
    code: "CONNECTION_LOST",
    stages: ["connect"],
  },
  {
    pattern:
      /No SSH version received in first|: invalid format$|could not read protocol version$|^Protocol major versions differ|protocol identification string lack|^Bad packet length/u,
    code: "NOT_SSH",
    stages: BEFORE_ENCRYPTION,
  },
  {
    pattern: /timed out during banner exchange|^Connection to \S+ port \d+ timed out$/u,
    code: "TIMED_OUT",
    stages: BEFORE_ENCRYPTION,
  },
  {
    pattern: /^Unable to negotiate with .*: no matching .* found/u,
    code: "NO_COMMON_ALGORITHM",
    stages: BEFORE_ENCRYPTION,
  },
  {
    pattern: /^Host key verification failed\.$/u,
    code: "HOST_KEY",
    stages: BEFORE_ENCRYPTION,
  },
  {
    pattern:
      /: Permission denied \([\w@.,-]*\)\.$|: Too many authentication failures$|^Too many authentication failures|: No (?:supported|more) authentication methods/u,
    code: "AUTHENTICATION",
    stages: ["authentication"],
  },
  {
    pattern: /^(?:bind \[.*\]:\d+: Address already in use|.*: cannot listen to port: \d+)$/u,
    code: "LOCAL_PORT_BUSY",
    stages: ["authentication", "keepalive"],
  },
  {
    pattern: /remote port forwarding failed for listen (?:port|path) |administratively prohibited/u,
    code: "FORWARD_REFUSED",
    stages: ["authentication", "keepalive"],
  },
  {
    pattern: /^Timeout, server \S+ not responding\.$/u,
    code: "TIMED_OUT",
    stages: ANY,
  },
  {
    pattern:
      /^(?:kex_exchange_identification: |ssh_exchange_identification: |ssh_dispatch_run_fatal: |client_loop: |banner exchange: )?.*(?:Connection (?:closed|reset|to .* (?:closed|aborted))|Broken pipe|Received disconnect from|Disconnected from|message authentication code incorrect|Write failed|Read from remote host|[Ii]nvalid (?:argument|packet))/u,
    code: "CONNECTION_LOST",
    stages: ANY,
  },
];
