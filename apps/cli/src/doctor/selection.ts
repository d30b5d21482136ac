import { usageError } from "../errors.ts";
import type { CommandContext } from "../program/command-context.ts";
import type { Check } from "./facts.ts";

/**
 * The checks that `--only` and `--skip` leave. An id is a code such as `config.invalid`, or its first
 * part, for all of them.
 *
 * @throws {CliError} for an id that no check has
 */
export function chooseChecks(all: readonly Check[], context: CommandContext): readonly Check[] {
  const codes = all.flatMap((check) => check.codes);
  for (const id of [...context.list("only"), ...context.list("skip")]) {
    if (codes.some((code) => matches(code, id))) continue;
    const groups = [...new Set(codes.map((code) => code.split(".")[0]))].join(", ");
    throw usageError(`there is no check ${JSON.stringify(id)}.`, `Groups: ${groups}`);
  }
  return all.filter((check) => check.codes.some((code) => isWanted(code, context)));
}

/** Whether a finding is to be told. */
export function isWanted(code: string, context: CommandContext): boolean {
  const only = context.list("only");
  if (context.list("skip").some((id) => matches(code, id))) return false;
  return only.length === 0 || only.some((id) => matches(code, id));
}

function matches(code: string, id: string): boolean {
  return code === id || code.startsWith(`${id}.`);
}
