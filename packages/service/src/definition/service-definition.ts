import { posix, win32 } from "node:path";
import { ServiceError } from "../errors.ts";
import { findSecrets } from "./find-secrets.ts";
import { serviceNames, type ServiceKind, type ServiceNames } from "./service-names.ts";

/** Which service is meant. */
export interface ServiceRef {
  readonly kind: ServiceKind;
  readonly profile?: string | undefined;
  /** Tells the tunnels of one profile apart. */
  readonly name?: string | undefined;
  /** Replaces the names that follow from kind, profile and name. */
  readonly names?: ServiceNames | undefined;
}

/** When a supervisor starts the program again. */
export interface RestartPolicy {
  /** `always`: also after exit code 0. `never`: not at all. @default "always" */
  readonly when?: "always" | "on-failure" | "never" | undefined;
  /** Seconds before it does; systemd only, launchd has a pause of its own. @default 5 */
  readonly delaySeconds?: number | undefined;
  /**
   * Exit codes after which another start cannot help: 78 is bad configuration, 64 a bad command
   * line. systemd only; launchd and the Task Scheduler cannot be told. @default [64, 78]
   */
  readonly exceptExitCodes?: readonly number[] | undefined;
}

/** A service to write. It holds no secret: the program reads those itself when it starts. */
export interface ServiceDefinition extends ServiceRef {
  /** For people; one line. */
  readonly description: string;
  /** The program, an absolute path, and its arguments. No shell is involved. */
  readonly programArguments: readonly string[];
  readonly workingDirectory?: string | undefined;
  /** Everything the program gets; of the installer's own environment it sees nothing. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /**
   * A file of `NAME=value` lines, mode 0600, read at each start and allowed to be missing. systemd
   * only; `node --env-file-if-exists=<file>` as the program does the same everywhere.
   */
  readonly environmentFile?: string | undefined;
  /** Where output goes. systemd sends it to the journal and ignores this. */
  readonly logs?: { readonly stdout: string; readonly stderr: string } | undefined;
  readonly restart?: RestartPolicy | undefined;
  /** Time to end after SIGTERM, before SIGKILL. @default 330 for a Gateway, else 30 */
  readonly stopTimeoutSeconds?: number | undefined;
}

/** A definition that was checked, defaults filled in. */
export interface ResolvedDefinition {
  readonly kind: ServiceKind;
  readonly names: ServiceNames;
  readonly description: string;
  readonly programArguments: readonly [program: string, ...args: string[]];
  readonly workingDirectory: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly environmentFile: string | undefined;
  readonly logs: { readonly stdout: string; readonly stderr: string } | undefined;
  readonly restart: { readonly [K in keyof RestartPolicy]-?: NonNullable<RestartPolicy[K]> };
  readonly stopTimeoutSeconds: number;
}

/** Kinds of file systems and command lines that a definition can be for. */
export type PathStyle = "posix" | "windows";

const VARIABLE = /^[A-Z_][A-Z0-9_]*$/iu;

/** The names of a service: its own, or those that follow from what it is. */
export function namesOf({ kind, profile, name, names }: ServiceRef): ServiceNames {
  return names ?? serviceNames(kind, profile, name);
}

/**
 * Checks what holds for every supervisor, and fills in the defaults.
 *
 * @throws {@link ServiceError} `INVALID_DEFINITION`, `INVALID_NAME`, `SECRET_IN_UNIT`
 */
export function resolveDefinition(
  definition: ServiceDefinition,
  style: PathStyle = "posix",
): ResolvedDefinition {
  const { environment = {}, restart = {}, kind } = definition;
  const [program, ...args] = definition.programArguments;
  if (program === undefined) throw invalid("there is no program to run.");
  const texts = [
    ...definition.programArguments,
    ...Object.values(environment),
    definition.description,
    ...[definition.workingDirectory, definition.environmentFile],
    ...[definition.logs?.stdout, definition.logs?.stderr],
  ];
  if (texts.some((text) => text?.includes("\0"))) throw invalid("a text holds a NUL character.");
  for (const path of [
    program,
    definition.workingDirectory,
    definition.environmentFile,
    definition.logs?.stdout,
    definition.logs?.stderr,
  ]) {
    if (path !== undefined) assertAbsolute(path, style);
  }
  for (const name of Object.keys(environment)) {
    if (!VARIABLE.test(name)) {
      throw invalid(`${JSON.stringify(name.slice(0, 80))} is no name of a variable.`);
    }
  }
  refuseSecrets(definition.programArguments, environment);
  return {
    kind,
    names: namesOf(definition),
    description: definition.description.replaceAll(/[\p{Cc}\s]+/gu, " ").trim(),
    programArguments: [program, ...args],
    workingDirectory: definition.workingDirectory,
    environment,
    environmentFile: definition.environmentFile,
    logs: definition.logs,
    restart: {
      when: restart.when ?? "always",
      delaySeconds: restart.delaySeconds ?? 5,
      exceptExitCodes: restart.exceptExitCodes ?? [64, 78],
    },
    stopTimeoutSeconds: definition.stopTimeoutSeconds ?? (kind === "gateway" ? 330 : 30),
  };
}

function assertAbsolute(path: string, style: PathStyle): void {
  const isAbsolute = style === "windows" ? win32.isAbsolute(path) : posix.isAbsolute(path);
  if (!isAbsolute) throw invalid(`${JSON.stringify(path)} is no absolute path.`);
  if (/\p{Cc}/u.test(path)) throw invalid("a path holds a control character.");
}

function refuseSecrets(
  programArguments: readonly string[],
  environment: Readonly<Record<string, string>>,
): void {
  const names = findSecrets(programArguments, environment);
  if (names.length === 0) return;
  throw new ServiceError(
    "SECRET_IN_UNIT",
    `a service definition must not hold a secret: ${names.join(", ")}.`,
    {
      hints: [
        "Every program of this user can read it there, and it would outlive a change of the secret.",
        "Put it into the config file, or into a file of mode 0600 that the program reads when it starts.",
      ],
      details: { names },
    },
  );
}

function invalid(fault: string): ServiceError {
  return new ServiceError("INVALID_DEFINITION", `the service cannot be defined: ${fault}`);
}
