import { asObject } from "@openclaw/app-kit";
import type { ConfigEdit, JsonObject } from "@openclaw/config";
import { planRemote } from "../remote/plan-remote.ts";
import type { Answers, LocalAnswers, RemoteAnswers, SecretAnswer } from "./answers.ts";
import { MODEL_PROVIDERS } from "./answers.ts";

/** What onboarding is about to write into the config. */
export interface OnboardingPlan {
  readonly edits: readonly ConfigEdit[];
  /** Secrets of another Gateway that go. */
  readonly dropped: readonly string[];
}

/** Facts of this run, kept in the config. */
export interface RunFacts {
  readonly at: Date;
  readonly version: string;
  readonly command: string;
}

/** Turns answers into edits; what nobody asked about stays as it is. */
export function planOnboarding(
  answers: Answers,
  config: JsonObject,
  facts: RunFacts,
): OnboardingPlan {
  const plan = answers.mode === "remote" ? remotePlan(answers, config) : localPlan(answers, config);
  return { ...plan, edits: [...plan.edits, ...wizardEdits(answers, facts)] };
}

function remotePlan(answers: RemoteAnswers, config: JsonObject): OnboardingPlan {
  const { url, token, password, tlsFingerprint } = answers;
  return planRemote(
    {
      target: url,
      token: token === undefined ? undefined : literal(token),
      password: password === undefined ? undefined : literal(password),
      tlsFingerprint: tlsFingerprint === undefined ? [] : [tlsFingerprint],
    },
    config,
  );
}

function localPlan(answers: LocalAnswers, config: JsonObject): OnboardingPlan {
  const { auth, tailscale, bind, model } = answers;
  const present = asObject(asObject(config["gateway"])["tailscale"]);
  const isTailscaleKnown = tailscale !== "off" || present["mode"] !== undefined;
  const edits: ConfigEdit[] = [
    { path: "gateway.mode", value: "local" },
    { path: "gateway.port", value: answers.port },
    { path: "gateway.bind", value: bind },
    ...(bind === "custom"
      ? [{ path: "gateway.customBindHost", value: answers.customBindHost }]
      : []),
    { path: "gateway.auth.mode", value: auth.mode },
    ...(auth.secret === undefined
      ? []
      : [{ path: `gateway.auth.${auth.mode}`, value: written(auth.secret) }]),
    ...(isTailscaleKnown
      ? [
          { path: "gateway.tailscale.mode", value: tailscale },
          { path: "gateway.tailscale.resetOnExit", value: answers.resetOnExit },
        ]
      : []),
    { path: "agents.defaults.workspace", value: answers.workspace },
    ...(model.primary === undefined
      ? []
      : [{ path: "agents.defaults.model.primary", value: model.primary }]),
    ...profileEdits(model.choice),
    ...(answers.telegramToken === undefined
      ? []
      : [
          { path: "channels.telegram.enabled", value: true },
          { path: "channels.telegram.botToken", value: answers.telegramToken },
        ]),
  ];
  return { edits, dropped: [] };
}

function profileEdits(choice: LocalAnswers["model"]["choice"]): ConfigEdit[] {
  if (choice === "skip") return [];
  const { provider } = MODEL_PROVIDERS[choice];
  const value = { provider, mode: "api_key" };
  return [{ path: ["auth", "profiles", `${provider}:default`], value }];
}

function wizardEdits({ mode }: Answers, { at, version, command }: RunFacts): ConfigEdit[] {
  return [
    { path: "wizard.lastRunAt", value: at.toISOString() },
    { path: "wizard.lastRunVersion", value: version },
    { path: "wizard.lastRunCommand", value: command },
    { path: "wizard.lastRunMode", value: mode },
  ];
}

/** A reference stays one, so that the secret does not come into the file. */
function written(secret: SecretAnswer): string {
  return secret.kind === "variable" ? `\${${secret.name}}` : literal(secret.value);
}

/** A value that looks like a reference is meant as it is. */
function literal(value: string): string {
  return value.replaceAll(/\$\{(?=[A-Z_][A-Z0-9_]*\})/gu, () => "$${");
}
