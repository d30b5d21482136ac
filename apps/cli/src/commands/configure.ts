import { mkdir } from "node:fs/promises";
import { editConfigFile, expandHome, readConfigLoosely } from "@openclaw/config";
import { usageError } from "../errors.ts";
import { askGateway, askModel, askTelegram } from "../onboard/ask-answers.ts";
import type { LocalAnswers } from "../onboard/answers.ts";
import { withSecretReferences } from "../onboard/defaults.ts";
import { keepModelKey } from "../onboard/model-key.ts";
import { planOnboarding } from "../onboard/plan-onboarding.ts";
import type { Prompter } from "../onboard/prompter.ts";
import { readFlags } from "../onboard/read-flags.ts";
import type { CommandContext } from "../program/command-context.ts";
import { VERSION } from "../version.ts";

const SECTIONS = ["workspace", "model", "gateway", "channels", "daemon", "health"] as const;
type Section = (typeof SECTIONS)[number];

/** `openclaw configure`: the questions of onboarding again, some or all of them. */
export async function run(context: CommandContext): Promise<number> {
  const terminal = context.io.terminal?.();
  if (terminal === undefined) {
    throw usageError(
      "there is nobody to ask here.",
      `Set single keys instead: ${context.commandLine("config set gateway.port 18790")}`,
    );
  }
  const { paths, env } = context;
  const config = withSecretReferences(await readConfigLoosely({ path: paths.configPath, env: {} }));
  const { createPrompter } = await import("../onboard/prompter.ts");
  const prompter = createPrompter(terminal);
  const offered = readFlags(context, config);
  if (offered.mode !== "local") throw new Error("a local offer was asked for");
  const sections = await chooseSections(context, prompter);

  let answers: LocalAnswers = offered;
  const asked = new Set<string>();
  if (sections.includes("workspace")) {
    const typed = await prompter.text("Folder that agents work in", offered.workspace);
    answers = { ...answers, workspace: expandHome(typed, paths.home) };
    asked.add("agents.defaults.workspace");
  }
  if (sections.includes("model")) {
    answers = { ...answers, model: await askModel(context, prompter, offered.model) };
    asked.add("agents.defaults.model").add("auth");
  }
  if (sections.includes("gateway")) {
    answers = { ...answers, ...(await askGateway(context, prompter, { offered, config })) };
    asked.add("gateway");
  }
  if (sections.includes("channels")) {
    const telegramToken = await askTelegram(prompter);
    if (telegramToken !== undefined) answers = { ...answers, telegramToken };
    asked.add("channels");
  }
  const facts = { at: new Date(), version: VERSION, command: "configure" };
  const edited = await editConfigFile(
    paths.configPath,
    (present) =>
      planOnboarding(answers, present, facts).edits.filter(({ path }) => {
        const dotted = typeof path === "string" ? path : path.join(".");
        // What was not asked about stays, whatever a first onboarding would write.
        return [...asked, "wizard"].some((key) => dotted === key || dotted.startsWith(`${key}.`));
      }),
    { env },
  );
  if (asked.has("agents.defaults.workspace")) {
    await mkdir(answers.workspace, { recursive: true, mode: 0o700 });
  }
  await keepModelKey(paths.stateDir, answers.model);
  if (sections.includes("daemon")) {
    const { run: install } = await import("./gateway-install.ts");
    await install({ ...context, json: false, flag: (name) => name === "force" });
  }
  if (sections.includes("health")) {
    const { run: health } = await import("./health.ts");
    await health(context);
  }
  const kept = edited.backupPath === undefined ? "" : ` The former config: ${edited.backupPath}`;
  context.say(`Wrote ${edited.path}.${kept}`);
  return 0;
}

async function chooseSections(
  context: CommandContext,
  prompter: Prompter,
): Promise<readonly Section[]> {
  const given = context.list("section");
  const unknown = given.find((name) => !SECTIONS.some((section) => section === name));
  if (unknown !== undefined) {
    throw usageError(
      `--section ${unknown} is not one that can be configured.`,
      `There are ${SECTIONS.join(", ")}.`,
    );
  }
  if (given.length > 0) return SECTIONS.filter((section) => given.includes(section));
  const choice = await prompter.select<Section | "all">(
    "What do you want to change?",
    [
      { value: "gateway", label: "The Gateway", hint: "port, bind, secret, Tailscale" },
      { value: "model", label: "The agent's model" },
      { value: "channels", label: "Channels" },
      { value: "workspace", label: "The workspace" },
      { value: "daemon", label: "The service" },
      { value: "health", label: "Nothing; look whether it works" },
      { value: "all", label: "Everything" },
    ],
    "gateway",
  );
  return choice === "all" ? SECTIONS : [choice];
}
