import { channelLines, type HealthReport } from "../gateway/health-view.ts";
import { withGateway } from "../gateway/session.ts";
import type { CommandContext } from "../program/command-context.ts";

/** `openclaw gateway health`: the bare call, and how long it took. */
export async function run(context: CommandContext): Promise<number> {
  await withGateway(context, { scopes: ["operator.read"] }, async (session) => {
    const startedAt = performance.now();
    const report = await session.request<HealthReport>("health", {});
    const tookMs = Math.round(performance.now() - startedAt);
    const { style } = context;
    context.answer(report, () =>
      [
        style.bold("Gateway health"),
        report.ok === false ? style.bad("not healthy") : `${style.good("OK")} (${tookMs}ms)`,
        ...channelLines(report),
      ].join("\n"),
    );
  });
  return 0;
}
