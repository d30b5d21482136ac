import { CliError } from "../errors.ts";
import type { Prompter } from "../onboard/prompter.ts";
import type { CommandContext } from "../program/command-context.ts";
import type { DoctorFinding, Repair } from "./finding.ts";

/** May it be done? `unasked` is a repair that these flags are not about. */
export type Decision = "yes" | "unasked" | { readonly objection: string };

/** Decides on a repair. */
export type Consent = (finding: DoctorFinding, repair: Repair) => Promise<Decision>;

/**
 * Who decides: a person at a terminal, unless nobody wants to be asked; else the flags. Undefined when
 * nothing is to be changed at all.
 */
export async function consentOf(context: CommandContext): Promise<Consent | undefined> {
  if (context.flag("lint")) return undefined;
  const isWilling = ["yes", "fix", "repair"].some((name) => context.flag(name));
  const isAlone = context.flag("yes") || context.flag("non-interactive") || context.json;
  const terminal = isAlone ? undefined : context.io.terminal?.();
  if (terminal !== undefined) {
    const { createPrompter } = await import("../onboard/prompter.ts");
    return asking(createPrompter(terminal));
  }
  const named = ["generate-gateway-token"].filter((name) => context.flag(name));
  if (!isWilling && named.length === 0) return undefined;
  const force = context.flag("force");
  return (_finding, { isForceful = false, needsFlag }) => {
    if (needsFlag !== undefined) return decided(named.includes(needsFlag) ? "yes" : "unasked");
    if (!isWilling) return decided("unasked");
    return decided(isForceful && !force ? { objection: BY_HAND } : "yes");
  };
}

/** Ctrl-C ends the questions, and not the report: what was done before is still to be told. */
function asking(prompter: Prompter): Consent {
  let hasGivenUp = false;
  return async ({ title }, { question, isForceful = false }) => {
    if (hasGivenUp) return { objection: "you gave up" };
    prompter.step(title);
    try {
      const isAgreed = await prompter.confirm(question, !isForceful);
      return isAgreed ? "yes" : { objection: "you said no" };
    } catch (error) {
      if (!(error instanceof CliError)) throw error;
      hasGivenUp = true;
      return { objection: "you gave up" };
    }
  };
}

const BY_HAND = "somebody may have made it by hand: it is only done with --fix --force";

function decided(decision: Decision): Promise<Decision> {
  return Promise.resolve(decision);
}
