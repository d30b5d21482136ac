import { resolve } from "node:path";
import { expandHome, readEnv } from "@openclaw/config";
import { readConfig } from "../gateway/choose-gateway.ts";
import type { CommandContext } from "../program/command-context.ts";
import type { OptionSpec } from "../program/command-spec.ts";
import { NODE_RUN_OPTIONS } from "../program/node-commands.ts";
import { cliService } from "../service/cli-services.ts";
import { defineService } from "../service/define-service.ts";
import { environmentFilePath, writeEnvironmentFile } from "../service/environment-file.ts";
import { assertManageable, installService } from "../service/manage-service.ts";
import { asServiceAnswer } from "../service/service-answer.ts";

/** `openclaw node install`: this machine as a node, at every login. */
export function run(context: CommandContext): Promise<number> {
  return asServiceAnswer(context, "install", async () => {
    const service = cliService(context, "node");
    assertManageable(context, service);
    const path = environmentFilePath(context.paths.stateDir, "node");
    const variables = await shellCredentials(context);
    const names = Object.keys(variables).join(", ");
    return installService(context, {
      service,
      definition: defineService(context, service, {
        words: ["node", "run", ...givenFlags(context)],
      }),
      notes: names === "" ? [] : [`Keeps ${names} in ${path}, for only this shell has it`],
      warnings: [],
      prepare: () => writeEnvironmentFile(path, variables),
    });
  });
}

/** What was typed, word by word; what was not is found again at each start. */
function givenFlags(context: CommandContext): string[] {
  return NODE_RUN_OPTIONS.flatMap((option) => {
    const { name, kind } = option;
    if (kind === "flag") return context.flag(name) ? [`--${name}`] : [];
    const values = kind === "list" ? context.list(name) : [context.text(name) ?? []].flat();
    return values.flatMap((value) => [`--${name}`, anywhere(value, option, context)]);
  });
}

/** A service starts in another folder than the one in which a path was typed. */
function anywhere(
  text: string,
  { value }: OptionSpec,
  { io: { cwd }, paths: { home } }: CommandContext,
): string {
  const isPath = value === "path" || value === "file";
  return isPath ? resolve(cwd, expandHome(text, home)) : text;
}

/**
 * The Gateway's secret, where only this shell has it. What the config says is not copied: a copy
 * outlives a change of the secret.
 */
async function shellCredentials(context: CommandContext): Promise<Record<string, string>> {
  const { config } = await readConfig(context);
  const text = JSON.stringify(config);
  if (/"(?:token|password)":/u.test(text)) return {};
  return Object.fromEntries(
    (["OPENCLAW_GATEWAY_TOKEN", "OPENCLAW_GATEWAY_PASSWORD"] as const).flatMap((name) => {
      const value = readEnv(context.env, name)?.value;
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
