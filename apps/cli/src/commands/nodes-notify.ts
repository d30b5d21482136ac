import { usageError } from "../errors.ts";
import { withGateway } from "../gateway/session.ts";
import { fetchNode } from "../nodes/fetch-nodes.ts";
import { invokeNode } from "../nodes/invoke-node.ts";
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
  await withGateway(context, { scopes: ["operator.write"] }, async (session) => {
    const answer = await invokeNode(context, session, {
      node: await fetchNode(session, context),
      command: "system.notify",
      params: Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined)),
      invokeTimeoutMs: context.integer("invoke-timeout") ?? 15_000,
    });
    context.answer(answer.payload ?? null, () => "notify ok");
  });
  return 0;
}
