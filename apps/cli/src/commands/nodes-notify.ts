import { usageError } from "../errors.ts";
import { invokeOnNode } from "../nodes/invoke-node.ts";
import type { CommandContext } from "../program/command-context.ts";

/** `openclaw nodes notify --node`. */
export async function run(context: CommandContext): Promise<number> {
  const title = context.text("title");
  const body = context.text("body");
  if (title === undefined && body === undefined)
    throw usageError("nodes notify needs --title or --body.");
  const wanted = {
    title,
    body,
    sound: context.text("sound"),
    priority: context.text("priority"),
    delivery: context.text("delivery"),
  };
  const answer = await invokeOnNode(context, {
    command: "system.notify",
    params: () =>
      Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined)),
    scopes: ["operator.write"],
    invokeTimeoutMs: context.integer("invoke-timeout") ?? 15_000,
  });
  context.answer(answer.payload ?? null, () => "notify ok");
  return 0;
}
