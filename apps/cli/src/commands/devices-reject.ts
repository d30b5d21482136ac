import { reject, requestWithId } from "../devices/decide-request.ts";
import { rejectedText } from "../devices/decision-view.ts";
import type { CommandContext } from "../program/command-context.ts";

/** `openclaw devices reject <requestId>` and `nodes reject`, which takes the same ids. */
export async function run(context: CommandContext): Promise<number> {
  const decision = await reject(context, requestWithId(context.args[0] ?? ""));
  context.answer(decision.result, () => rejectedText(decision));
  return 0;
}
