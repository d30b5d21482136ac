import type { CommandContext } from "../program/command-context.ts";
import { cliService } from "../service/cli-services.ts";
import { uninstallService } from "../service/manage-service.ts";
import { asServiceAnswer } from "../service/service-answer.ts";

/** `openclaw gateway uninstall` */
export function run(context: CommandContext): Promise<number> {
  return asServiceAnswer(context, "uninstall", () =>
    uninstallService(context, cliService(context, "gateway")),
  );
}
