import { isIP } from "node:net";
import type { JsonObject } from "@openclaw/config";
import { createTailscale } from "@openclaw/exposure";
import type { CommandContext } from "../program/command-context.ts";
import {
  type Answers,
  type AuthChoice,
  type LocalAnswers,
  MODEL_PROVIDERS,
  type ModelAnswer,
  type RemoteAnswers,
} from "./answers.ts";
import { newToken, passwordVariable, presentSecret } from "./defaults.ts";
import type { Prompter } from "./prompter.ts";

const RISK = [
  "An agent behind this Gateway can run commands and read files as you can.",
  "Whoever may talk to it may make it do so. Keep it on loopback, reach it through SSH or a",
  "tailnet, and let in only devices and people that you know.",
].join("\n");

/** Asks everything, beginning with what flags and config already say. */
export async function askAnswers(
  context: CommandContext,
  prompter: Prompter,
  { offered, config }: { offered: LocalAnswers; config: JsonObject },
): Promise<Answers | undefined> {
  if (!context.flag("accept-risk")) {
    prompter.note("Before you begin", RISK);
    if (!(await prompter.confirm("Go on?", true))) return undefined;
  }
  const mode =
    context.text("mode") ??
    (await prompter.select(
      "Where is the Gateway?",
      [
        { value: "local", label: "On this machine" },
        { value: "remote", label: "On another machine", hint: "SSH, a tailnet, or TLS" },
      ],
      "local",
    ));
  if (mode === "remote") return askRemote(context, prompter);
  const flow =
    context.text("flow") ??
    (await prompter.select(
      "How much do you want to decide?",
      [
        { value: "quickstart", label: "Quick start", hint: "loopback, a token, and go" },
        { value: "advanced", label: "Everything" },
      ],
      "quickstart",
    ));
  const isQuick = flow === "quickstart";
  const workspace = isQuick
    ? offered.workspace
    : await prompter.text("Folder that agents work in", offered.workspace);
  const model = await askModel(context, prompter, offered.model);
  const gateway = isQuick ? offered : await askGateway(context, prompter, { offered, config });
  const telegramToken = context.flag("skip-channels") ? undefined : await askTelegram(prompter);
  const installDaemon =
    context.flag("skip-daemon") || context.flag("no-install-daemon")
      ? false
      : offered.installDaemon ||
        (await prompter.confirm("Keep the Gateway running, also after a restart?", true));
  return {
    ...gateway,
    workspace,
    model,
    ...(telegramToken === undefined ? {} : { telegramToken }),
    installDaemon,
  };
}

/** The Gateway alone, for a change later on. */
export async function askGateway(
  context: CommandContext,
  prompter: Prompter,
  { offered, config }: { offered: LocalAnswers; config: JsonObject },
): Promise<LocalAnswers> {
  const port = Number(await prompter.text("Port", String(offered.port), portProblem));
  const bind = await prompter.select(
    "Who may reach the port?",
    [
      {
        value: "loopback",
        label: "This machine",
        hint: "safest; SSH and Tailscale Serve reach it",
      },
      { value: "tailnet", label: "Your tailnet, directly" },
      { value: "lan", label: "Your network", hint: "turn on TLS" },
      { value: "custom", label: "One address of this machine" },
    ],
    offered.bind,
  );
  const customBindHost =
    bind === "custom"
      ? await prompter.text("Which address?", offered.customBindHost ?? "", (text) =>
          isIP(text) === 0 ? "An IP address of this machine" : undefined,
        )
      : undefined;
  const tailscale = bind === "loopback" ? await askTailscale(context, prompter, offered) : "off";
  const auth = await askAuth(context, prompter, { offered, config, tailscale });
  const resetOnExit =
    tailscale !== "off" &&
    (await prompter.confirm("Take it out of the tailnet when the Gateway stops?", true));
  return {
    ...offered,
    port,
    bind,
    ...(customBindHost === undefined ? {} : { customBindHost }),
    tailscale,
    auth,
    resetOnExit,
  };
}

function portProblem(text: string): string | undefined {
  const port = /^\d{1,5}$/u.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? undefined : "A number from 1 to 65535";
}

async function askTailscale(
  { env }: CommandContext,
  prompter: Prompter,
  offered: LocalAnswers,
): Promise<LocalAnswers["tailscale"]> {
  const choice = await prompter.select(
    "Offer it through Tailscale?",
    [
      { value: "off", label: "No" },
      { value: "serve", label: "Serve", hint: "to your tailnet, with HTTPS" },
      { value: "funnel", label: "Funnel", hint: "to the whole internet; needs a password" },
    ],
    offered.tailscale,
  );
  if (choice === "off") return choice;
  const { problem } = await createTailscale({ env }).status();
  if (problem !== undefined) {
    prompter.note("Tailscale", [problem.message, problem.hint].filter(Boolean).join("\n"));
  }
  return choice;
}

async function askAuth(
  context: CommandContext,
  prompter: Prompter,
  {
    offered,
    config,
    tailscale,
  }: { offered: LocalAnswers; config: JsonObject; tailscale: LocalAnswers["tailscale"] },
): Promise<LocalAnswers["auth"]> {
  const mode =
    tailscale === "funnel"
      ? "password"
      : await prompter.select(
          "What do clients prove themselves with?",
          [
            { value: "token", label: "A token", hint: "made for you" },
            { value: "password", label: "A password", hint: "for people who type it" },
          ],
          offered.auth.mode === "password" ? "password" : "token",
        );
  if (mode === "token") {
    if (offered.auth.mode === "token") return offered.auth;
    return { mode, ...(presentSecret(config, mode) === undefined ? { secret: newToken() } : {}) };
  }
  const variable = passwordVariable(context);
  if (variable !== undefined && variable.kind === "variable") {
    prompter.step(`The password is taken from ${variable.name}; the file holds its name only.`);
    return { mode, secret: variable };
  }
  const isThere = presentSecret(config, mode) !== undefined;
  for (;;) {
    // Asked again until there is one.
    // oxlint-disable-next-line no-await-in-loop
    const value = await prompter.secret(
      isThere ? "Password (empty keeps the present one)" : "Password",
    );
    if (value !== "") return { mode, secret: { kind: "value", value } };
    if (isThere) return { mode };
    prompter.step("It needs one.");
  }
}

/** The agent's model, and the key for it. */
export async function askModel(
  context: CommandContext,
  prompter: Prompter,
  offered: ModelAnswer,
): Promise<ModelAnswer> {
  if (offered.choice !== "skip") return offered;
  const asked = context.text("auth-choice");
  const choice: AuthChoice =
    asked === "skip"
      ? "skip"
      : await prompter.select<AuthChoice>(
          "Which provider runs the agent's model?",
          [
            { value: "openai-api-key", label: "OpenAI", hint: "an API key" },
            { value: "anthropic-api-key", label: "Anthropic", hint: "an API key" },
            { value: "skip", label: "Later" },
          ],
          "skip",
        );
  if (choice === "skip") return { choice };
  const primary = await prompter.text("Model", MODEL_PROVIDERS[choice].model, (text) =>
    /^[\w.-]+\/\S+$/u.test(text) ? undefined : "As provider/model",
  );
  const apiKey = await prompter.secret("API key (kept on this machine, readable by you alone)");
  return { choice, primary, ...(apiKey === "" ? {} : { apiKey }) };
}

/** The one channel that works behind any firewall; undefined leaves channels as they are. */
export async function askTelegram(prompter: Prompter): Promise<string | undefined> {
  if (!(await prompter.confirm("Connect a Telegram bot?", false))) return undefined;
  const token = await prompter.secret("Token that @BotFather gave you");
  return token === "" ? undefined : token;
}

async function askRemote(context: CommandContext, prompter: Prompter): Promise<RemoteAnswers> {
  const given = context.text("remote-url");
  const way =
    given !== undefined
      ? "direct"
      : await prompter.select(
          "How do you get there?",
          [
            { value: "ssh", label: "SSH", hint: "whatever you can log in to" },
            { value: "direct", label: "A ws:// or wss:// address", hint: "tailnet, or TLS" },
          ],
          "ssh",
        );
  const url =
    given ??
    (way === "ssh"
      ? sshUrl(await prompter.text("SSH target, such as me@box or an alias", ""))
      : await prompter.text("Address of the Gateway", "wss://", (text) =>
          /^wss?:\/\/./u.test(text) ? undefined : "It begins with ws:// or wss://",
        ));
  const kind = await prompter.select(
    "What does it ask for?",
    [
      { value: "token", label: "A token" },
      { value: "password", label: "A password" },
      { value: "none", label: "Nothing, or I give it each time" },
    ],
    "token",
  );
  const secret =
    kind === "none" ? "" : await prompter.secret(kind === "token" ? "Token" : "Password");
  if (secret === "") return { mode: "remote", url };
  return kind === "token"
    ? { mode: "remote", url, token: secret }
    : { mode: "remote", url, password: secret };
}

function sshUrl(target: string): string {
  return target.startsWith("ssh://") ? target : `ssh://${target.trim()}`;
}
