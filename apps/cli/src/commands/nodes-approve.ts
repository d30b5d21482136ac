import { approve, requestWithId } from "../devices/decide-request.ts";
import { approvedText } from "../devices/decision-view.ts";
import type { CommandContext } from "../program/command-context.ts";

/** `openclaw nodes approve <requestId>`: takes the id of a device's request as well. */
export async function run(context: CommandContext): Promise<number> {
  const decision = await approve(context, requestWithId(context.args[0] ?? ""));
  context.answer(decision.result, () => approvedText(context, decision));
  return 0;
}
