import { editConfigFile } from "@openclaw/config";
import type { CommandContext } from "../program/command-context.ts";
import { cliService } from "../service/cli-services.ts";
import { defineService } from "../service/define-service.ts";
import { environmentFilePath, writeEnvironmentFile } from "../service/environment-file.ts";
import { planGateway } from "../service/gateway-plan.ts";
import { settleGateway } from "../service/settle-gateway.ts";
import { assertManageable, installService } from "../service/manage-service.ts";
import { asServiceAnswer } from "../service/service-answer.ts";

/** `openclaw gateway install`: a Gateway that runs at every login. */
export function run(context: CommandContext): Promise<number> {
  return asServiceAnswer(context, "install", async () => {
    const service = cliService(context, "gateway");
    assertManageable(context, service);
    const { env, paths } = context;
    const plan = await planGateway(context);
    const definition = defineService(context, service, {
      port: plan.port,
      words: [
        "gateway",
        "run",
        "--port",
        String(plan.port),
        ...(plan.allowUnconfigured ? ["--allow-unconfigured"] : []),
      ],
    });
    return installService(context, {
      service,
      definition,
      notes: plan.notes,
      warnings: plan.warnings,
      async prepare() {
        if (plan.edits.length > 0) await editConfigFile(paths.configPath, plan.edits, { env });
        writeEnvironmentFile(environmentFilePath(paths.stateDir, "gateway"), plan.variables);
      },
      settle: async () => (await settleGateway(context, service)).warnings,
    });
  });
}
