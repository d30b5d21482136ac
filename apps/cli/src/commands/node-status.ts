import { renderFields } from "../output/table.ts";
import type { CommandContext } from "../program/command-context.ts";
import { cliService } from "../service/cli-services.ts";
import { auditOptions } from "../service/manage-service.ts";
import { factsOf } from "../service/service-answer.ts";
import { runtimeFields, serviceFields } from "../service/service-report.ts";

/** `openclaw node status`: the service of this machine's node; trouble is data, not failure. */
export async function run(context: CommandContext): Promise<number> {
  const { manager, ref } = cliService(context, "node");
  const status = await manager.status(ref, auditOptions());
  const { command, runtime } = status;
  context.answer({ service: { ...factsOf(status), command, runtime } }, () =>
    renderFields(
      [...serviceFields(context, status, "node"), ...runtimeFields(context, runtime)],
      context.style,
    ),
  );
  return 0;
}
