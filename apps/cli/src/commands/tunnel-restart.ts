import type { CommandContext } from "../program/command-context.ts";
import { answerService, asServiceAnswer, factsOf, failService } from "../service/service-answer.ts";
import { findTunnels } from "../tunnel/find-tunnels.ts";
import { pickOne } from "../tunnel/pick-one.ts";
import { removeFailure } from "../tunnel/record-files.ts";
import { settleTunnel } from "../tunnel/settle-tunnel.ts";
import { tunnelService } from "../tunnel/tunnel-service.ts";

/** `openclaw tunnel restart [name]`: also starts one that was stopped. */
export function run(context: CommandContext): Promise<number> {
  return asServiceAnswer(context, "restart", async () => {
    const { tunnels } = await findTunnels(context);
    const { name, record, service } = pickOne(context, tunnels);
    if (service === undefined) {
      return failService(context, "restart", {
        message: `the tunnel ${name} runs in the foreground (pid ${record?.pid}), and is nobody's to restart.`,
        hints: [
          "It comes back by itself after a lost connection; to open it anew, end it and start it there.",
        ],
      });
    }
    const { manager } = tunnelService(context, name);
    removeFailure(context.paths.stateDir, name);
    await manager.restart(service.ref);
    const { label } = service.status;
    const settled = await settleTunnel(context, { name, label, formerPid: record?.pid });
    return answerService(context, {
      ok: true,
      action: "restart",
      result: "restarted",
      service: factsOf(await manager.status(service.ref)),
      lines: [`Restarted ${label}.`, ...settled.lines],
      warnings: settled.warnings,
      more: { name, isOpen: settled.lines.length > 0 },
    });
  });
}
