import { withGateway } from "../gateway/session.ts";
import { fetchNodeRequests } from "../nodes/fetch-nodes.ts";
import { requestTable } from "../nodes/node-view.ts";
import type { CommandContext } from "../program/command-context.ts";

/** `openclaw nodes pending`: who waits for approval. */
export async function run(context: CommandContext): Promise<number> {
  await withGateway(context, { scopes: ["operator.pairing"] }, async (session) => {
    const { pending } = await fetchNodeRequests(session);
    context.answer({ pending }, () =>
      pending.length === 0
        ? "No node waits for approval."
        : `${requestTable(pending, context.style, Date.now())}\nLet one in: ${context.commandLine("nodes approve <request>")}`,
    );
  });
  return 0;
}
