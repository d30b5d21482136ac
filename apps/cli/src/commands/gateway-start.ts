import type { CommandContext } from "../program/command-context.ts";
import { usageError } from "../errors.ts";
import { type CliService, cliService } from "../service/cli-services.ts";
import { controlGateway } from "../service/control-gateway.ts";
import { answerNotLoaded } from "../service/manage-service.ts";
import { asServiceAnswer } from "../service/service-answer.ts";
import { isSupervised, processSurroundings } from "../service/supervised.ts";

/**
 * `openclaw gateway start`: the installed service, else a Gateway in the foreground. A script that
 * asks for JSON wants an answer, and never becomes a Gateway.
 */
export async function run(context: CommandContext): Promise<number> {
  if (context.json && context.flag("foreground")) {
    throw usageError("--json and --foreground cannot be combined: a Gateway gives no document.");
  }
  const service = cliService(context, "gateway");
  if (!context.json && belongsHere(context, service)) {
    const foreground = await import("./gateway-run.ts");
    return foreground.run(context);
  }
  return asServiceAnswer(context, "start", async () => {
    const exitCode = await controlGateway(context, service, "start");
    return exitCode ?? answerNotLoaded(context, service, "start");
  });
}

function belongsHere(context: CommandContext, { manager, ref, foreign }: CliService): boolean {
  if (context.flag("foreground") || foreign !== undefined || !manager.isInstalled(ref)) return true;
  return isSupervised(processSurroundings(context.env, ref.names.launchdLabel));
}
