import type { CommandContext } from "../program/command-context.ts";
import type { ConfirmedChange } from "./through-gateway.ts";

/** Tells of a change that was made through the Gateway and confirmed from outside. */
export function reportConfirmed(
  context: CommandContext,
  { path, changedPaths, url }: ConfirmedChange,
): void {
  context.answer({ ok: true, confirmed: true, path, changedPaths, url }, () =>
    [
      `Applied and confirmed: the Gateway answers at ${url}.`,
      `Changed: ${changedPaths.join(", ") || "nothing"} (${path} on the Gateway's machine).`,
      `The former config is beside it as .bak.`,
    ].join("\n"),
  );
}
