/** The systems' supervisors. */
export type Supervisor = "launchd" | "systemd" | "schtasks";

/** What an existing definition says, whoever wrote it. */
export interface ParsedService {
  readonly supervisor: Supervisor;
  /** As far as the file says it itself. */
  readonly label?: string | undefined;
  readonly description?: string | undefined;
  /** Empty when the file names no program. */
  readonly programArguments: readonly string[];
  /** Further command lines, such as those of `ExecStartPre=`. */
  readonly otherCommands: readonly (readonly string[])[];
  readonly workingDirectory: string | undefined;
  /** May hold secrets that somebody else put there; not to be shown as it is. */
  readonly environment: Readonly<Record<string, string>>;
  readonly environmentFiles: readonly string[];
  /** Whether and when the supervisor starts the program again. */
  readonly restart: "always" | "on-failure" | "never";
  /** Seconds before it does, where the file says so. */
  readonly restartSeconds?: number | undefined;
  /** Whether it starts at login. */
  readonly runsAtLogin: boolean;
  /** How systemd waits for the program: `simple`, `exec`, `forking`, … */
  readonly type?: string | undefined;
  /** Names in `After=` and `Wants=`. */
  readonly after?: readonly string[] | undefined;
  readonly wants?: readonly string[] | undefined;
}
