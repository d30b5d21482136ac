import type { CommandContext } from "../program/command-context.ts";
import { cliService } from "../service/cli-services.ts";
import { answerNotLoaded, controlService } from "../service/manage-service.ts";
import { asServiceAnswer } from "../service/service-answer.ts";

/** `openclaw node stop` */
export function run(context: CommandContext): Promise<number> {
  return asServiceAnswer(context, "stop", async () => {
    const service = cliService(context, "node");
    const exitCode = await controlService(context, service, "stop");
    return exitCode ?? answerNotLoaded(context, service, "stop");
  });
}
