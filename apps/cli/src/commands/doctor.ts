import { CliError } from "../errors.ts";
import type { CommandContext } from "../program/command-context.ts";

/** `openclaw doctor`. */
export async function run(context: CommandContext): Promise<number> {
  const { runDoctor } = await import("../doctor/run-doctor.ts");
  try {
    return await runDoctor(context);
  } catch (error) {
    throw ownFailure(error);
  }
}

/** In the build the checks are a file of their own, whose classes are not those of the program. */
function ownFailure(error: unknown): unknown {
  if (error instanceof CliError || !isCliError(error)) return error;
  const { type, message, hints, exitCode, fields, siblings } = error;
  return new CliError(type, message, { hints, exitCode, fields, siblings, cause: error });
}

function isCliError(error: unknown): error is CliError {
  return error instanceof Error && error.name === "CliError" && "exitCode" in error;
}
