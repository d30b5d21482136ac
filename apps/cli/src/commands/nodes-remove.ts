import { withGateway } from "../gateway/session.ts";
import { fetchNode } from "../nodes/fetch-nodes.ts";
import { nameOf } from "../nodes/resolve-node.ts";
import type { CommandContext } from "../program/command-context.ts";

/** `openclaw nodes remove --node`. */
export async function run(context: CommandContext): Promise<number> {
  const scopes = ["operator.read", "operator.pairing"];
  await withGateway(context, { scopes }, async (session) => {
    const node = await fetchNode(session, context);
    const result = await session.request("node.pair.remove", { nodeId: node.nodeId });
    context.answer(result, () => `Removed ${nameOf(node)}. It has to ask for pairing again.`);
  });
  return 0;
}
