import {
  type ConfigChange,
  diffConfigs,
  formatConfigPath,
  type IsSecretPath,
  loadConfig,
  loadKeyFacts,
  parseConfigText,
  readConfigText,
  redactConfig,
} from "@openclaw/config";
import { isAlive, readInstance } from "@openclaw/gateway/instance-file";
import type { ConfigGetResult } from "@openclaw/protocol";
import { tellingFailures } from "../config/config-failure.ts";
import { CliError, usageError } from "../errors.ts";
import { withGateway } from "../gateway/session.ts";
import type { Style } from "../output/style.ts";
import type { CommandContext } from "../program/command-context.ts";

/** What the file is compared with. */
interface Other {
  /** For people. */
  readonly name: string;
  readonly config: unknown;
}

/** `openclaw config diff`: what the file says that the running Gateway, or a former file, does not. */
export async function run(context: CommandContext): Promise<number> {
  const path = context.paths.configPath;
  const { isSecretPath } = await loadKeyFacts();
  const present = await parsedFile(path);
  const other = await chooseOther(context, path);
  // What a Gateway tells has its secrets hidden; so has this side then.
  const shown = other.isRedacted === true ? redactConfig(present, isSecretPath) : present;
  const changes = diffConfigs(other.config, shown);
  const loaded = await loadConfig({ path, env: context.env });
  if (!loaded.ok) {
    const why = `${context.commandLine("config validate")} tells why`;
    context.say(context.style.warn(`${path} is invalid, so no Gateway takes it on; ${why}.`));
  } else if (loaded.includes.length > 0) {
    context.say("What the file includes is not compared.");
  }
  const document = {
    path,
    valid: loaded.ok,
    against: other.name,
    changes: changes.map((change) => ({
      path: formatConfigPath(change.path),
      ...hidden(change, isSecretPath),
    })),
  };
  context.answer(document, () =>
    changes.length === 0
      ? `No difference between ${path} and ${other.name}.`
      : [
          `${path}, compared with ${other.name}:`,
          ...changes.map((change) => changeLine(change, isSecretPath, context.style)),
        ].join("\n"),
  );
  return 0;
}

async function chooseOther(
  context: CommandContext,
  path: string,
): Promise<Other & { isRedacted?: true }> {
  const against = context.text("against") ?? defaultOf(context);
  switch (against) {
    case "gateway":
      return withGateway(context, { scopes: ["operator.read"] }, async (session) => {
        const answer = await session.request<ConfigGetResult>("config.get");
        const name = `the running Gateway (${session.gateway.target.url})`;
        return { name, config: answer.runtimeConfig ?? {}, isRedacted: true };
      });
    case "backup":
      return { name: `${path}.bak`, config: await parsedFile(`${path}.bak`) };
    case "last-good":
      return { name: `${path}.last-good`, config: await parsedFile(`${path}.last-good`) };
    default:
      return { name: against, config: await parsedFile(against) };
  }
}

/** The Gateway that was named or runs here; else the file before the last change. */
function defaultOf(context: CommandContext): string {
  if (context.text("url") !== undefined) return "gateway";
  const instance = readInstance(context.paths.stateDir);
  return instance !== undefined && isAlive(instance.pid) ? "gateway" : "backup";
}

async function parsedFile(path: string): Promise<unknown> {
  const text = await tellingFailures(() => readConfigText(path));
  if (text === undefined) {
    throw new CliError("cli_error", `there is no ${path}`, { fields: { kind: "not_found", path } });
  }
  const parsed = await parseConfigText(text);
  if (!parsed.ok) throw usageError(`${path} is ${parsed.issue.message}.`);
  return parsed.value;
}

function hidden(
  { path, before, after }: ConfigChange,
  isSecretPath: IsSecretPath,
): { before: unknown; after: unknown } {
  const [shownBefore, shownAfter] = [before, after].map((value) =>
    value === undefined ? null : redactConfig(value, isSecretPath, path),
  );
  return { before: shownBefore, after: shownAfter };
}

function changeLine(change: ConfigChange, isSecretPath: IsSecretPath, style: Style): string {
  const where = formatConfigPath(change.path);
  const { before, after } = hidden(change, isSecretPath);
  if (change.before === undefined) return style.good(`+ ${where}: ${JSON.stringify(after)}`);
  if (change.after === undefined) return style.bad(`- ${where}: ${JSON.stringify(before)}`);
  return `~ ${where}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`;
}
