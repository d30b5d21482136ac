import { ServiceError, type ServiceErrorCode } from "../errors.ts";
import type { CommandResult } from "./command-runner.ts";

const MAX_OUTPUT = 400;

/** Everything a command said, on one line. */
export function outputOf({ stdout, stderr }: CommandResult): string {
  return `${stderr}\n${stdout}`.replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
}

/** A command that failed, as an error; `code` and `hints` where more is known than that. */
export function commandFailure(
  command: readonly string[],
  result: CommandResult,
  { code, hints = [] }: { code?: ServiceErrorCode | undefined; hints?: readonly string[] } = {},
): ServiceError {
  const output = outputOf(result).slice(0, MAX_OUTPUT);
  return new ServiceError(
    code ?? codeOf(result),
    `${command.join(" ")} ${ending(result, output)}`,
    {
      hints,
      details: { command, exitCode: result.code, output },
    },
  );
}

function codeOf({ failure }: CommandResult): ServiceErrorCode {
  if (failure === "missing") return "SUPERVISOR_MISSING";
  if (failure === "denied") return "ACCESS_DENIED";
  return failure === "timeout" ? "COMMAND_TIMED_OUT" : "COMMAND_FAILED";
}

function ending({ failure, code }: CommandResult, output: string): string {
  if (failure === "missing") return "cannot be run: the program is missing.";
  if (failure === "timeout") return "did not end in time.";
  const how = code === null ? "was ended" : `failed with ${code}`;
  return output === "" ? `${how}.` : `${how}: ${output}`;
}
