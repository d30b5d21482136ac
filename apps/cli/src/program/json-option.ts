import { usageError } from "../errors.ts";

/**
 * The JSON that was given to an option.
 *
 * @throws {CliError} `cli_error` when it is none; the message has the position, not the text
 */
export function parseJsonOption(option: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const position = /position \d+[^"]*/.exec(error instanceof Error ? error.message : "")?.[0];
    throw usageError(
      `--${option} is not JSON${position === undefined ? "" : ` (at ${position.trim()})`}.`,
      `Quote it for your shell: --${option} '{"key":"value"}'`,
    );
  }
}

/** @throws {CliError} `cli_error` when it is not a JSON object */
export function parseJsonObjectOption(option: string, text: string): object {
  const value = parseJsonOption(option, text);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw usageError(`--${option} must be a JSON object.`);
  }
  return value;
}
