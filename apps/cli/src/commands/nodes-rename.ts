import { safeText } from "@openclaw/app-kit";
import { usageError } from "../errors.ts";
import { withGateway } from "../gateway/session.ts";
import { fetchNode } from "../nodes/fetch-nodes.ts";
import type { CommandContext } from "../program/command-context.ts";

/** `openclaw nodes rename --node --name`. */
export async function run(context: CommandContext): Promise<number> {
  const displayName = (context.text("name") ?? "").trim();
  if (displayName === "") throw usageError("--name must not be empty.");
  const scopes = ["operator.read", "operator.pairing"];
  await withGateway(context, { scopes }, async (session) => {
    const { nodeId } = await fetchNode(session, context);
    const result = await session.request("node.rename", { nodeId, displayName });
    context.answer(result, () => `node rename ok: ${safeText(nodeId)} -> ${safeText(displayName)}`);
  });
  return 0;
}
