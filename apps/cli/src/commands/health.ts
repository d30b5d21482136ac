import { healthLines } from "../gateway/health-view.ts";
import { connectionDetails } from "../gateway/explain-failure.ts";
import { withGateway } from "../gateway/session.ts";
import type { CommandContext } from "../program/command-context.ts";
import type { HealthReport } from "../gateway/health-view.ts";

/** `openclaw health`: the Gateway answers and lets us in. */
export async function run(context: CommandContext): Promise<number> {
  const verbose = context.flag("verbose") || context.flag("debug");
  await withGateway(context, { scopes: ["operator.read"] }, async (session) => {
    if (verbose) for (const line of connectionDetails(context, session.gateway)) context.say(line);
    const report = await session.request<HealthReport>("health", verbose ? { probe: true } : {});
    // `none` asks for no credential, so there is nothing to be glad about.
    const method = session.client.hello?.auth?.method;
    context.answer(report, () =>
      healthLines(report, {
        style: context.style,
        nowMs: Date.now(),
        isAuthenticated: method !== undefined && method !== "none",
      }).join("\n"),
    );
  });
  return 0;
}
