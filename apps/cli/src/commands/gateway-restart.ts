import { hasCode } from "@openclaw/app-kit";
import { bannerLines } from "@openclaw/gateway/instance-file";
import type { CommandContext } from "../program/command-context.ts";
import { type CliService, cliService } from "../service/cli-services.ts";
import { controlGateway } from "../service/control-gateway.ts";
import {
  findRunningGateway,
  restartGateway,
  type RunningGateway,
} from "../service/foreground-gateway.ts";
import { instanceFields } from "../service/instance-fields.ts";
import { answerNotLoaded } from "../service/manage-service.ts";
import { answerService, asServiceAnswer, factsOf, failService } from "../service/service-answer.ts";
import { SETTLE_TIMEOUT_MS } from "../service/settle-gateway.ts";

/** `openclaw gateway restart`: the installed service, or a Gateway that runs without one. */
export function run(context: CommandContext): Promise<number> {
  return asServiceAnswer(context, "restart", async () => {
    const service = cliService(context, "gateway");
    const exitCode = await controlGateway(context, service, "restart");
    if (exitCode !== undefined) return exitCode;
    const running = await findRunningGateway(context.paths.stateDir);
    return running === undefined
      ? answerNotLoaded(context, service, "restart")
      : restartForeground(context, service, running);
  });
}

async function restartForeground(
  context: CommandContext,
  { manager, ref }: CliService,
  running: RunningGateway,
): Promise<number> {
  const { pid } = running.instance;
  const fail = (message: string, ...hints: string[]): number =>
    failService(context, "restart", { message, hints });
  if (!running.takesRestart) {
    return fail(
      `the Gateway (pid ${pid}) runs without a service, and cannot be restarted from here.`,
      `Stop it (${context.commandLine("gateway stop")}), and start it where it ran.`,
    );
  }
  const timeoutMs = context.integer("wait") ?? SETTLE_TIMEOUT_MS;
  let next;
  try {
    next = await restartGateway(context.paths.stateDir, running, timeoutMs);
  } catch (error) {
    if (!hasCode(error, "EPERM")) throw error;
    return fail(
      `the Gateway (pid ${pid}) belongs to another user.`,
      `Restart what runs it, for example: sudo systemctl restart clawdbot`,
    );
  }
  if (next === undefined) {
    return fail(
      `the Gateway (pid ${pid}) was told to restart, and has not come back within ${Math.round(timeoutMs / 1_000)} seconds.`,
      "Look where it runs what it says.",
    );
  }
  return answerService(context, {
    ok: true,
    action: "restart",
    result: "restarted",
    service: factsOf(await manager.status(ref)),
    lines: [
      `Restarted the Gateway that runs without a service (pid ${next.pid}).`,
      ...bannerLines(next),
    ],
    more: instanceFields(next),
  });
}
