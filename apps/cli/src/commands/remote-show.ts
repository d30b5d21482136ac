import { ConfigError } from "@openclaw/config";
import { CliError } from "../errors.ts";
import {
  type ChosenGateway,
  chooseGateway,
  placeOf,
  readConfig,
  viaFields,
} from "../gateway/choose-gateway.ts";
import { renderFields } from "../output/table.ts";
import type { CommandContext } from "../program/command-context.ts";
import { modeOf, remoteView } from "../remote/remote-view.ts";

/** `openclaw remote show`: where commands go, and why there. */
export async function run(context: CommandContext): Promise<number> {
  const loose = await readConfig(context);
  const chosen = await choose(context);
  const remote = remoteView(loose.config);
  const mode = modeOf(loose.config);
  const target = chosen instanceof Error ? undefined : chosen.target;
  const sources = chosen instanceof Error ? {} : chosen.credentials.sources;
  const document = {
    mode,
    active: target?.kind === "remote",
    url: target?.url ?? null,
    urlSource: target?.urlSource ?? null,
    ...(target === undefined ? {} : viaFields(target)),
    remote,
    credentials: { token: sources.token ?? null, password: sources.password ?? null },
    configPath: context.paths.configPath,
    problem: chosen instanceof Error ? chosen.message : (target?.warning ?? null),
  };
  context.answer(document, () => {
    const { style } = context;
    const place =
      target === undefined
        ? style.bad(document.problem ?? "")
        : `${placeOf(target)} (${target.urlSource})`;
    const used = [sources.token, sources.password].filter((source) => source !== undefined);
    return [
      renderFields(
        [
          ["Commands go to", place],
          ["Secret", used.length === 0 ? "none found" : `from ${used.join(", ")}`],
          ["Mode", mode],
          ["Config", `${context.paths.configPath}${loose.exists ? "" : " (missing)"}`],
          ["Warning", target?.warning],
        ],
        style,
      ).trimEnd(),
      "",
      style.bold("gateway.remote"),
      remote === null
        ? `nothing; set it: ${context.commandLine("remote set me@box")}`
        : renderFields(
            Object.entries(remote).map(([key, value]): [string, string] => [key, String(value)]),
            style,
          ).trimEnd(),
    ].join("\n");
  });
  return 0;
}

/** What hinders the choice is data here. */
async function choose(context: CommandContext): Promise<ChosenGateway | Error> {
  try {
    return await chooseGateway(context);
  } catch (error) {
    if (error instanceof ConfigError || error instanceof CliError) return error;
    throw error;
  }
}
