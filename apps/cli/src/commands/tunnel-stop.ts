import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { hasCode } from "@openclaw/app-kit";
import type { CommandContext } from "../program/command-context.ts";
import { answerService, asServiceAnswer, factsOf, failService } from "../service/service-answer.ts";
import { findTunnels } from "../tunnel/find-tunnels.ts";
import { pickOne } from "../tunnel/pick-one.ts";
import { isRunning } from "../tunnel/record-files.ts";
import type { TunnelRecord } from "../tunnel/tunnel-record.ts";
import { tunnelService } from "../tunnel/tunnel-service.ts";

/** A tunnel closes within a second. */
const STOP_TIMEOUT_MS = 5_000;
const POLL_MS = 50;

/** `openclaw tunnel stop [name]`: a service until it is started again, or one in the foreground. */
export function run(context: CommandContext): Promise<number> {
  return asServiceAnswer(context, "stop", async () => {
    const { tunnels } = await findTunnels(context);
    const { name, record, service } = pickOne(context, tunnels);
    if (record !== undefined && !record.isService) return stopForeground(context, record);
    const { manager, ref } = tunnelService(context, name);
    const own = service?.ref ?? ref;
    const { label } = await manager.stop(own);
    return answerService(context, {
      ok: true,
      action: "stop",
      result: "stopped",
      service: factsOf(await manager.status(own)),
      lines: [
        `Stopped ${label}, until the next login.`,
        `Undo: ${context.commandLine(`tunnel restart ${name}`)}`,
      ],
      more: { name },
    });
  });
}

/** Only the very process that has written the record is ended; it was looked up just now. */
async function stopForeground(context: CommandContext, record: TunnelRecord): Promise<number> {
  const { name, pid } = record;
  const { manager, ref } = tunnelService(context, name);
  try {
    process.kill(pid, "SIGTERM");
  } catch (error) {
    if (!hasCode(error, "EPERM")) throw error;
    return failService(context, "stop", {
      message: `the tunnel ${name} (pid ${pid}) belongs to another user.`,
      hints: [`End it as that user: kill ${pid}`],
    });
  }
  const deadline = Date.now() + STOP_TIMEOUT_MS;
  // oxlint-disable-next-line no-await-in-loop
  while (await isRunning(record)) {
    if (Date.now() >= deadline) {
      return failService(context, "stop", {
        message: `the tunnel ${name} (pid ${pid}) was told to end, and has not within ${STOP_TIMEOUT_MS / 1_000} seconds.`,
        hints: [`See what it says where it runs, or end it: kill -9 ${pid}`],
      });
    }
    // oxlint-disable-next-line no-await-in-loop
    await delay(POLL_MS);
  }
  return answerService(context, {
    ok: true,
    action: "stop",
    result: "stopped",
    service: factsOf(await manager.status(ref)),
    lines: [`Ended the tunnel ${name}, which ran in the foreground (pid ${pid}).`],
    more: { name, pid },
  });
}
