/**
 * What went wrong, for code to branch on. Codes are never renamed, only added. Which of them another
 * attempt can cure is in {@link TunnelError.final}.
 */
export type TunnelErrorCode =
  // What was asked for.
  /** The target is not `[user@]host[:port]`, an alias or an `ssh://` URL. Final. */
  | "INVALID_TARGET"
  /** A forward, a fingerprint or another option is malformed. Final. */
  | "INVALID_OPTION"
  /** The ssh configuration cannot be read or is wrong; `details.file` and `details.line`. Final. */
  | "INVALID_SSH_CONFIG"
  /** The configuration asks for what the chosen engine cannot do; `details.settings` names it. Final. */
  | "UNSUPPORTED_SETTING"
  /** The system has no ssh program, or one that cannot be started. Final. */
  | "ENGINE_MISSING"
  /** Under this configuration ssh would do more than forward: run, expose or share something. Final. */
  | "UNSAFE_SSH_CONFIG"
  // The way there.
  /** The host name has no address. */
  | "NAME_NOT_RESOLVED"
  /** Nothing listens on the SSH port. */
  | "CONNECTION_REFUSED"
  /** No route to the host or its network. */
  | "HOST_UNREACHABLE"
  /** No answer in time; `details.stage` is `connect`, `handshake`, `authentication` or `keepalive`. */
  | "TIMED_OUT"
  /** The connection broke. */
  | "CONNECTION_LOST"
  /** Something else than an SSH server answers on the port. */
  | "NOT_SSH"
  /** The two sides share no algorithm; `details.kind` says of which kind. Final. */
  | "NO_COMMON_ALGORITHM"
  // Who is there.
  /** The host's key is not in any known_hosts file; `details.fingerprint`. Final. */
  | "HOST_KEY_UNKNOWN"
  /** The host has another key than the known one; `details.expected`, `details.fingerprint`. Final. */
  | "HOST_KEY_CHANGED"
  /** The host's key, or the authority that signed it, is marked `@revoked`. Final. */
  | "HOST_KEY_REVOKED"
  // Who we are.
  /** The server accepts none of the keys and methods that were offered; `details.tried`. Final. */
  | "AUTHENTICATION_REFUSED"
  /** The agent is locked, does not answer, or refuses to sign. */
  | "AGENT_LOCKED"
  /** An identity file is encrypted, and no passphrase callback opened it. Final. */
  | "IDENTITY_LOCKED"
  /** An identity or certificate file that was named cannot be read or parsed. Final. */
  | "IDENTITY_UNREADABLE"
  // The forwards.
  /** Nothing listens on the remote port or socket. Concerns one channel, not the tunnel. */
  | "REMOTE_PORT_CLOSED"
  /** The server's policy forbids the forward. Concerns one forward; final for it. */
  | "FORWARD_REFUSED"
  /** The local port or socket is taken; `details.holder` says by whom, where the system tells. Final. */
  | "LOCAL_PORT_BUSY"
  /** The remote command could not be run. */
  | "COMMAND_REFUSED"
  // The tunnel itself.
  /** A connection or a call waited for the tunnel to come back, longer than it may. */
  | "WAIT_EXPIRED"
  /** More connections wait for the tunnel to come back than may. */
  | "TOO_MANY_WAITING"
  /** `close()` was called. Final. */
  | "CLOSED"
  /** The ssh program ended for a reason it did not tell; `details.exitCode`, `details.stderr`. */
  | "ENGINE_FAILED";

/** Facts beside a {@link TunnelError}; never a secret. */
export interface TunnelErrorDetails {
  /** Fingerprint of the key that the host has shown, as `SHA256:…`. */
  readonly fingerprint?: string;
  /** Type of that key, for example `ssh-ed25519`. */
  readonly keyType?: string;
  /** Fingerprints that were known for the host. */
  readonly expected?: readonly string[];
  readonly file?: string;
  readonly line?: number;
  /** What the server offered, or what was tried, in order. */
  readonly tried?: readonly string[];
  readonly offered?: readonly string[];
  readonly settings?: readonly string[];
  readonly stage?: string;
  readonly kind?: string;
  readonly holder?: PortHolder;
  readonly exitCode?: number | null;
  /** The last lines of the ssh program. */
  readonly stderr?: string;
  /** Host of a jump chain that failed, when it was not the target. */
  readonly hop?: string;
}

/** Who listens on a local port, as far as the system tells. */
export interface PortHolder {
  readonly kind: "own-orphan" | "own-tunnel" | "gateway" | "ssh" | "program" | "unknown";
  readonly pid?: number;
  /** Name of the program, for people. */
  readonly program?: string;
  readonly commandLine?: readonly string[];
}

export interface TunnelErrorOptions extends ErrorOptions {
  /** One sentence that tells what to do next. */
  readonly hint?: string | undefined;
  readonly details?: TunnelErrorDetails | undefined;
}

const FINAL: ReadonlySet<TunnelErrorCode> = new Set([
  "INVALID_TARGET",
  "INVALID_OPTION",
  "INVALID_SSH_CONFIG",
  "UNSUPPORTED_SETTING",
  "ENGINE_MISSING",
  "UNSAFE_SSH_CONFIG",
  "NO_COMMON_ALGORITHM",
  "HOST_KEY_UNKNOWN",
  "HOST_KEY_CHANGED",
  "HOST_KEY_REVOKED",
  "AUTHENTICATION_REFUSED",
  "IDENTITY_LOCKED",
  "IDENTITY_UNREADABLE",
  "FORWARD_REFUSED",
  "LOCAL_PORT_BUSY",
  "CLOSED",
]);

/** Every failure of a tunnel. */
export class TunnelError extends Error {
  override readonly name: string = "TunnelError";
  readonly code: TunnelErrorCode;
  /** True when another attempt without a change of settings cannot succeed. */
  readonly final: boolean;
  readonly hint: string | undefined;
  readonly details: TunnelErrorDetails;

  constructor(code: TunnelErrorCode, message: string, options: TunnelErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.final = FINAL.has(code);
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}
