import { loadKeyFacts, parseConfigPath, redactConfig, valueAtPath } from "@openclaw/config";
import { pathNotFound, tellingFailures } from "../config/config-failure.ts";
import { CliError } from "../errors.ts";
import { readConfig } from "../gateway/choose-gateway.ts";
import type { CommandContext } from "../program/command-context.ts";

/** `openclaw config get <path>`: the value as it counts, variables replaced. */
export async function run(context: CommandContext): Promise<number> {
  const [text = ""] = context.args;
  const path = await tellingFailures(() => Promise.resolve(parseConfigPath(text)));
  const { config, problem, unresolved, path: file } = await readConfig(context);
  if (problem !== undefined) {
    throw new CliError("cli_error", `${file} is ${problem.message}`, {
      hints: [`See what is wrong, and what to do: ${context.commandLine("config validate")}`],
      fields: { kind: "config", issues: [problem] },
    });
  }
  const value = valueAtPath(config, path);
  if (value === undefined) {
    const missing = unresolved.find((reference) => reference.path === text);
    if (missing !== undefined)
      context.say(`${text} refers to \${${missing.name}}, which is not set.`);
    throw pathNotFound(text);
  }
  // Flags and the like are no secrets, and most questions are for them.
  const mayTell = typeof value === "boolean" || value === null || context.flag("show-secrets");
  const shown = mayTell ? value : redactConfig(value, (await loadKeyFacts()).isSecretPath, path);
  context.answer(shown, () =>
    typeof shown === "string" ? shown : JSON.stringify(shown, undefined, 2),
  );
  return 0;
}
