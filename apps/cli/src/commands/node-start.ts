import type { CommandContext } from "../program/command-context.ts";
import { cliService } from "../service/cli-services.ts";
import { answerNotLoaded, controlService } from "../service/manage-service.ts";
import { asServiceAnswer } from "../service/service-answer.ts";

/** `openclaw node start` */
export function run(context: CommandContext): Promise<number> {
  return asServiceAnswer(context, "start", async () => {
    const service = cliService(context, "node");
    const exitCode = await controlService(context, service, "start");
    return exitCode ?? answerNotLoaded(context, service, "start");
  });
}
