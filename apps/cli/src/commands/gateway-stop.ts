import { hasCode } from "@openclaw/app-kit";
import { isAlive } from "@openclaw/gateway/instance-file";
import type { CommandContext } from "../program/command-context.ts";
import { type CliService, cliService } from "../service/cli-services.ts";
import {
  endGateway,
  findRunningGateway,
  type RunningGateway,
} from "../service/foreground-gateway.ts";
import { answerNotLoaded, controlService } from "../service/manage-service.ts";
import { answerService, asServiceAnswer, factsOf, failService } from "../service/service-answer.ts";

const END_TIMEOUT_MS = 5_000;

/** `openclaw gateway stop`: the installed service, or a Gateway that runs without one. */
export function run(context: CommandContext): Promise<number> {
  return asServiceAnswer(context, "stop", async () => {
    const service = cliService(context, "gateway");
    const running = await findRunningGateway(context.paths.stateDir);
    const isForeground = running !== undefined && !(await isOfService(service, running));
    if (isForeground) return stopForeground(context, service, running);
    return (
      (await controlService(context, service, "stop")) ?? answerNotLoaded(context, service, "stop")
    );
  });
}

async function isOfService(
  { manager, ref, foreign }: CliService,
  { instance }: RunningGateway,
): Promise<boolean> {
  if (foreign !== undefined) return false;
  const { runtime, command } = await manager.status(ref);
  if (command === null || runtime.status !== "running") return false;
  return runtime.pid === undefined || runtime.pid === instance.pid;
}

async function stopForeground(
  context: CommandContext,
  { manager, ref }: CliService,
  { instance: { pid } }: RunningGateway,
): Promise<number> {
  const force = context.flag("force");
  try {
    if (!(await endGateway(pid, { timeoutMs: END_TIMEOUT_MS, force }))) {
      return failService(context, "stop", {
        message: `the Gateway (pid ${pid}) does not end.`,
        hints: [`End it at once: ${context.commandLine("gateway stop --force")}`],
      });
    }
  } catch (error) {
    // It may have ended by itself in the meantime.
    if (isAlive(pid)) {
      if (!hasCode(error, "EPERM")) throw error;
      return failService(context, "stop", {
        message: `the Gateway (pid ${pid}) belongs to another user.`,
        hints: [`sudo kill ${pid}`],
      });
    }
  }
  return answerService(context, {
    ok: true,
    action: "stop",
    result: "stopped",
    service: factsOf(await manager.status(ref)),
    lines: [`Stopped the Gateway that ran without a service (pid ${pid}).`],
    more: { pid },
  });
}
