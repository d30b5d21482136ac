import type { CommandContext } from "../../program/command-context.ts";
import type { StepFailure } from "../../remote/walk.ts";
import { fault } from "./faults.ts";

export interface ScopeFacts {
  readonly missing: readonly string[];
  readonly granted: readonly string[];
  /** What approves the wider request that was made; absent where there is none. */
  readonly approve?: string;
  readonly requestId?: unknown;
}

/** The device is let in, and may not do what is asked. */
export function missingScope(
  context: CommandContext,
  { missing, granted, approve, requestId }: ScopeFacts,
): StepFailure {
  const names = missing.join(", ");
  return fault("MISSING_SCOPE", `this device lacks ${names}.`, {
    at: "scope",
    evidence: { missing, granted, requestId },
    fix: approve ?? context.commandLine("devices list"),
    hint:
      approve === undefined
        ? "A secret alone gives no such right from elsewhere: pair this device, and have an operator approve it."
        : "On the Gateway's machine, or wherever an operator is paired who has that right himself.",
  });
}
