import { configProblem, configProblems } from "@openclaw/app-kit";
import { ConfigError } from "@openclaw/config";
import { CliError } from "../errors.ts";

/** Runs what works on the config file, and tells its failures with one line for each problem. */
export async function tellingFailures<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { code, message, hint, issues } = error;
    // One problem that the message tells in full is not told again.
    const [problem = "", ...others] = issues.map(configProblem);
    const isTold = others.length === 0 && message.includes(problem);
    throw new CliError("cli_error", message, {
      hints: [...(isTold ? [] : configProblems(issues)), ...(hint === undefined ? [] : [hint])],
      fields: { kind: "config", code, ...(issues.length > 0 ? { issues } : {}) },
      cause: error,
    });
  }
}

/** A path at which there is nothing. */
export function pathNotFound(path: string): CliError {
  return new CliError("cli_error", `Config path not found: ${path}`, {
    fields: { kind: "not_found", path },
  });
}
