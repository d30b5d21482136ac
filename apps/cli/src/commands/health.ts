import { healthLines } from "../gateway/health-view.ts";
import { connectionDetails } from "../gateway/explain-failure.ts";
import { type GatewaySession, withGateway } from "../gateway/session.ts";
import type { CommandContext } from "../program/command-context.ts";
import type { HealthReport } from "../gateway/health-view.ts";

/** `openclaw health`: the Gateway answers and lets us in. */
export async function run(context: CommandContext): Promise<number> {
  const verbose = context.flag("verbose") || context.flag("debug");
  await withGateway(context, { scopes: ["operator.read"] }, async (session) => {
    if (verbose) for (const line of connectionDetails(context, session.gateway)) context.say(line);
    const report = await session.request<HealthReport>("health", verbose ? { probe: true } : {});
    context.answer(report, () =>
      healthLines(report, {
        style: context.style,
        nowMs: Date.now(),
        isAuthenticated: wasAsked(session),
      }).join("\n"),
    );
  });
  return 0;
}

/** Whether the Gateway asked for a credential: `none` does not, so there is nothing to be glad about. */
function wasAsked({ client, gateway }: GatewaySession): boolean {
  const mode = client.hello?.auth?.method ?? client.hello?.snapshot?.authMode;
  const { token, password } = gateway.credentials;
  return mode === undefined ? (token ?? password) !== undefined : mode !== "none";
}
