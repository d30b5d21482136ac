import { parseArgs, type ParseArgsConfig } from "node:util";
import { parseProfileFlags } from "@openclaw/config";
import { messageOf } from "./failures.ts";
import { type PreparedEnvironment, prepareEnvironment } from "./prepare-environment.ts";
import type { ProgramIo } from "./program-io.ts";

/** Options in the form of `util.parseArgs`. */
export type DaemonOptions = NonNullable<ParseArgsConfig["options"]>;

/** The values that `util.parseArgs` finds for options. */
export type DaemonFlags<Options extends DaemonOptions> = ReturnType<
  typeof parseArgs<{ options: Options; allowPositionals: false }>
>["values"];

/** A program with one command, its own. `--help`, `--version` and the profile flags come with it. */
export interface DaemonProgram<Options extends DaemonOptions> {
  /** As it is installed, for messages. */
  readonly name: string;
  readonly version: string;
  readonly help: string;
  readonly options: Options;
  /** Returns the exit code. */
  run(
    flags: DaemonFlags<Options>,
    prepared: Pick<PreparedEnvironment, "env" | "paths">,
  ): Promise<number>;
}

const COMMON_OPTIONS = {
  version: { type: "boolean", short: "v" },
  help: { type: "boolean", short: "h" },
} as const;

const EXIT_BAD_PROFILE = 2;

/** Runs a daemon's command line. Returns the exit code: 2 for a wrong profile, 1 for wrong options. */
export async function runDaemonProgram<const Options extends DaemonOptions>(
  { name, version, help, options, run }: DaemonProgram<Options>,
  args: readonly string[],
  io: ProgramIo,
): Promise<number> {
  const profileFlags = parseProfileFlags(args);
  if (!profileFlags.ok) {
    io.stderr.write(`[${name}] ${profileFlags.message}\n`);
    return EXIT_BAD_PROFILE;
  }
  let values: Readonly<Record<string, unknown>>;
  try {
    values = parseArgs({
      args: profileFlags.argv,
      options: { ...options, ...COMMON_OPTIONS },
      allowPositionals: false,
    }).values;
  } catch (error) {
    io.stderr.write(`Error: ${messageOf(error)}\n  See ${name} --help.\n`);
    return 1;
  }
  if (values["help"] === true || values["version"] === true) {
    io.stdout.write(values["help"] === true ? help : `${version}\n`);
    return 0;
  }
  const { env, paths, warnings } = await prepareEnvironment(io, profileFlags.profile);
  for (const warning of warnings) io.stderr.write(`Warning: ${warning}\n`);
  // Parsed by these very options; the types of the parser do not follow a generic one.
  return run(values as DaemonFlags<Options>, { env, paths });
}
