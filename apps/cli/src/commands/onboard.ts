import { mkdir } from "node:fs/promises";
import { safeText } from "@openclaw/app-kit";
import {
  type ChangedConfig,
  editConfigFile,
  type JsonObject,
  readConfigLoosely,
  replaceConfigText,
} from "@openclaw/config";
import { CliError, usageError } from "../errors.ts";
import type { Answers } from "../onboard/answers.ts";
import { closingLines } from "../onboard/closing-lines.ts";
import { withSecretReferences } from "../onboard/defaults.ts";
import { keepModelKey } from "../onboard/model-key.ts";
import { planOnboarding } from "../onboard/plan-onboarding.ts";
import { readFlags } from "../onboard/read-flags.ts";
import type { CommandContext } from "../program/command-context.ts";
import { VERSION } from "../version.ts";

/** `openclaw onboard`: from nothing to a Gateway that answers, by questions or by flags alone. */
export async function run(context: CommandContext): Promise<number> {
  const { paths } = context;
  const loose = await readConfigLoosely({ path: paths.configPath, env: {} });
  if (loose.problem !== undefined && !context.flag("reset")) {
    throw new CliError("cli_error", `the config file is invalid: ${paths.configPath}`, {
      hints: [
        safeText(loose.problem.message),
        `Mend it, or begin anew and keep a copy: ${context.commandLine("onboard --reset")}`,
      ],
      fields: { kind: "config" },
    });
  }
  const config = context.flag("reset") ? {} : withSecretReferences(loose);
  const answers = await collect(context, config);
  if (answers === undefined) {
    context.say("Nothing was changed.");
    return 1;
  }
  const edited = await write(context, answers);
  const isServed = await afterwards(context, answers);
  answer(context, answers, edited, isServed);
  // A script that asked for the service has to learn that there is none.
  return context.flag("install-daemon") && answers.mode === "local" && !isServed ? 1 : 0;
}

/** By flags where nobody can or wants to be asked, else by questions. */
async function collect(context: CommandContext, config: JsonObject): Promise<Answers | undefined> {
  if (context.flag("non-interactive")) {
    if (!context.flag("accept-risk")) {
      throw usageError(
        "--non-interactive needs --accept-risk: an agent behind the Gateway can do what you can.",
        `See docs/threat-model.md, then: ${context.commandLine("onboard --non-interactive --accept-risk")}`,
      );
    }
    return readFlags(context, config);
  }
  const terminal = context.io.terminal?.();
  if (terminal === undefined || context.json) {
    throw usageError(
      "there is nobody to ask here.",
      `By flags alone: ${context.commandLine("onboard --non-interactive --accept-risk")}`,
    );
  }
  const [{ createPrompter }, { askAnswers }] = await Promise.all([
    import("../onboard/prompter.ts"),
    import("../onboard/ask-answers.ts"),
  ]);
  const isRemote = context.text("mode") === "remote";
  const offered = readFlags(isRemote ? withoutMode(context) : context, config);
  if (offered.mode === "remote") throw new Error("a local offer was asked for");
  return askAnswers(context, createPrompter(terminal), { offered, config });
}

function withoutMode(context: CommandContext): CommandContext {
  return { ...context, text: (name) => (name === "mode" ? undefined : context.text(name)) };
}

async function write(context: CommandContext, answers: Answers): Promise<ChangedConfig> {
  const { paths, env } = context;
  if (context.flag("reset")) {
    await replaceConfigText(paths.configPath, "{}\n", { env, replacesUnreadable: true });
  }
  const facts = { at: new Date(), version: VERSION, command: "onboard" };
  const edited = await editConfigFile(
    paths.configPath,
    (config) => planOnboarding(answers, config, facts).edits,
    { env },
  );
  if (answers.mode === "local") {
    await mkdir(answers.workspace, { recursive: true, mode: 0o700 });
    await keepModelKey(paths.stateDir, answers.model);
  }
  return edited;
}

/**
 * The service and a look at whether all this works; what fails there is told and does not undo.
 * Returns whether there is a service now.
 */
async function afterwards(context: CommandContext, answers: Answers): Promise<boolean> {
  const isServed = answers.mode === "local" && answers.installDaemon;
  // Their answers are part of the story here.
  const quiet: CommandContext = {
    ...context,
    json: false,
    text: () => undefined,
    integer: () => undefined,
    list: () => [],
    flag: (name) => name === "force" && isServed,
    answer: (_document, human) => context.say(human().trimEnd()),
  };
  if (isServed) {
    const { run: install } = await import("./gateway-install.ts");
    const isInstalled = await attempt(context, "the service was not installed", () =>
      install(quiet),
    );
    if (!isInstalled) return false;
  }
  if (context.flag("skip-health") || (answers.mode === "local" && !isServed)) return isServed;
  const { run: health } = await import("./health.ts");
  await attempt(context, "the Gateway does not answer yet", () => health(quiet));
  return isServed;
}

async function attempt(
  context: CommandContext,
  what: string,
  work: () => Promise<number>,
): Promise<boolean> {
  try {
    return (await work()) === 0;
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    context.say(`Warning: ${what}: ${error.message}`);
    for (const hint of error.hints) context.say(`  ${hint}`);
    context.say(`  To see where the way ends: ${context.commandLine("doctor connect")}`);
    return false;
  }
}

function answer(
  context: CommandContext,
  answers: Answers,
  edited: ChangedConfig,
  isServed: boolean,
): void {
  context.answer(documentOf(answers), () =>
    [
      ...(edited.backupPath === undefined ? [] : [`The former config: ${edited.backupPath}`]),
      ...nextSteps(context, answers, isServed),
      ...closingLines(edited.after),
    ].join("\n"),
  );
}

function nextSteps(context: CommandContext, answers: Answers, isServed: boolean): string[] {
  if (answers.mode === "remote") {
    return [
      `Config: ${context.paths.configPath}`,
      `Try it: ${context.commandLine("status")}`,
      `Undo: ${context.commandLine("remote unset")}`,
    ];
  }
  return [
    `Config: ${context.paths.configPath}`,
    ...(isServed ? [] : [`Start it: ${context.commandLine("gateway run")}`]),
    `Then: ${context.commandLine("status")}, ${context.commandLine("doctor")}`,
  ];
}

function documentOf(answers: Answers): object {
  if (answers.mode === "remote") {
    const isKnown = (answers.token ?? answers.password) !== undefined;
    const auth = answers.token === undefined ? "password" : "token";
    return { mode: "remote", remoteUrl: answers.url, auth: isKnown ? auth : "none" };
  }
  const { workspace, model, port, bind, auth, tailscale, installDaemon } = answers;
  return {
    mode: "local",
    workspace,
    authChoice: model.choice,
    gateway: { port, bind, authMode: auth.mode, tailscaleMode: tailscale },
    installDaemon,
    daemonRuntime: "node",
    skipSkills: true,
    skipHealth: !installDaemon,
  };
}
