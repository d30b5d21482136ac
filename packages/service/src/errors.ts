/**
 * What went wrong, for code to branch on. Codes are never renamed, only added.
 *
 * - `INVALID_DEFINITION`: a definition holds what its supervisor cannot be told, or no program.
 * - `INVALID_NAME`: a profile, a tunnel's name or an override is no name of a service.
 * - `SECRET_IN_UNIT`: a definition would write a secret where every program of the user can read it.
 * - `UNREADABLE_DEFINITION`: an existing definition is there and cannot be understood.
 * - `UNSUPPORTED_PLATFORM`: this system has no supervisor that is known here.
 * - `SUPERVISOR_MISSING`: the supervisor's program is not there, as in most containers.
 * - `USER_BUS_UNAVAILABLE`: systemd runs no manager for this user, or it cannot be reached from here.
 * - `NO_GUI_SESSION`: launchd has no graphical session of this user.
 * - `ACCESS_DENIED`: the supervisor or the file system refuses this user.
 * - `NOT_INSTALLED`: there is no such service.
 * - `COMMAND_FAILED`: the supervisor's program failed; `details.output` is what it said.
 * - `COMMAND_TIMED_OUT`: it did not end in time.
 * - `FILE_FAILED`: a definition could not be written, moved or removed; `cause` is the error.
 * - `NOT_A_LEFTOVER`: the item is no known leftover, or the file has changed and has no marker.
 */
export type ServiceErrorCode =
  | "INVALID_DEFINITION"
  | "INVALID_NAME"
  | "SECRET_IN_UNIT"
  | "UNREADABLE_DEFINITION"
  | "UNSUPPORTED_PLATFORM"
  | "SUPERVISOR_MISSING"
  | "USER_BUS_UNAVAILABLE"
  | "NO_GUI_SESSION"
  | "ACCESS_DENIED"
  | "NOT_INSTALLED"
  | "COMMAND_FAILED"
  | "COMMAND_TIMED_OUT"
  | "FILE_FAILED"
  | "NOT_A_LEFTOVER";

/** Facts beside a {@link ServiceError}; never a secret. */
export interface ServiceErrorDetails {
  /** The file concerned. */
  readonly path?: string;
  /** Names of variables or flags, never their values. */
  readonly names?: readonly string[];
  /** The command that failed. */
  readonly command?: readonly string[];
  readonly exitCode?: number | null;
  /** What the supervisor said, shortened. */
  readonly output?: string;
}

export interface ServiceErrorOptions extends ErrorOptions {
  /** What to do next, one sentence each. */
  readonly hints?: readonly string[];
  readonly details?: ServiceErrorDetails;
}

/** Every failure of this package. */
export class ServiceError extends Error {
  override readonly name: string = "ServiceError";
  readonly code: ServiceErrorCode;
  readonly hints: readonly string[];
  readonly details: ServiceErrorDetails;

  constructor(code: ServiceErrorCode, message: string, options: ServiceErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.hints = options.hints ?? [];
    this.details = options.details ?? {};
  }
}
