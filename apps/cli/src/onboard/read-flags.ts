import { asObject } from "@openclaw/app-kit";
import { expandHome, type JsonObject } from "@openclaw/config";
import { usageError } from "../errors.ts";
import type { CommandContext } from "../program/command-context.ts";
import {
  type Answers,
  type AuthChoice,
  type LocalAnswers,
  MODEL_PROVIDERS,
  type ModelAnswer,
  type RemoteAnswers,
} from "./answers.ts";
import {
  defaultWorkspace,
  newToken,
  passwordVariable,
  presentAuthMode,
  presentSecret,
} from "./defaults.ts";

const DEFAULT_PORT = 18_789;
const TAILSCALE_MODES = ["off", "serve", "funnel"] as const;

/**
 * The answers that flags give, with defaults for the rest: what `--non-interactive` goes by, and what a
 * person is offered.
 *
 * @param config the config that is there; what it has is kept.
 * @throws {CliError} `cli_error` for flags that contradict each other or lack what they need
 */
export function readFlags(context: CommandContext, config: JsonObject): Answers {
  const mode = context.text("mode");
  if (mode === undefined && context.flag("non-interactive")) refuseToTurn(config);
  return mode === "remote" ? remoteFlags(context) : localFlags(context, config);
}

/** A machine whose commands go elsewhere does not become a Gateway because a word was left out. */
function refuseToTurn(config: JsonObject): void {
  if (asObject(config["gateway"])["mode"] !== "remote") return;
  throw usageError(
    "commands of this machine go to a Gateway elsewhere (gateway.mode is remote).",
    "Say which you mean: --mode local makes a Gateway here, --mode remote changes the way there.",
  );
}

function remoteFlags(context: CommandContext): RemoteAnswers {
  const url = context.text("remote-url");
  if (url === undefined) {
    throw usageError(
      "--mode remote needs --remote-url.",
      "Give a Gateway such as wss://gateway.example, or an SSH target such as ssh://me@box.",
    );
  }
  const token = context.text("remote-token");
  const password = context.text("remote-password");
  const tlsFingerprint = context.text("remote-tls-fingerprint");
  return {
    mode: "remote",
    url,
    ...(token === undefined ? {} : { token }),
    ...(password === undefined ? {} : { password }),
    ...(tlsFingerprint === undefined ? {} : { tlsFingerprint }),
  };
}

function localFlags(context: CommandContext, config: JsonObject): LocalAnswers {
  const { paths } = context;
  const gateway = asObject(config["gateway"]);
  const askedTailscale = context.text("tailscale") as LocalAnswers["tailscale"] | undefined;
  const askedBind = context.text("gateway-bind");
  if ((askedTailscale ?? "off") !== "off" && (askedBind ?? "loopback") !== "loopback") {
    throw usageError(
      `--tailscale ${askedTailscale} needs --gateway-bind loopback, not ${askedBind}.`,
      "Tailscale forwards to loopback; bind tailnet reaches the tailnet without Serve.",
    );
  }
  // What was asked for now wins over what is there, also where both cannot be had.
  const isBindFree = (askedTailscale ?? "off") === "off";
  const bind = askedBind ?? (isBindFree ? textOf(gateway["bind"]) : undefined) ?? "loopback";
  const present = asObject(gateway["tailscale"]);
  const kept = TAILSCALE_MODES.find((mode) => mode === present["mode"]);
  const tailscale = askedTailscale ?? (bind === "loopback" ? kept : undefined) ?? "off";
  const customBindHost =
    context.text("gateway-custom-bind-host") ?? textOf(gateway["customBindHost"]);
  if (bind === "custom" && customBindHost === undefined) {
    throw usageError("--gateway-bind custom needs --gateway-custom-bind-host.");
  }
  const workspace =
    context.text("workspace") ??
    textOf(asObject(asObject(config["agents"])["defaults"])["workspace"]) ??
    defaultWorkspace(paths);
  const presentPort = gateway["port"];
  return {
    mode: "local",
    workspace: expandHome(workspace, paths.home),
    model: modelFlags(context),
    port:
      context.integer("gateway-port") ??
      (typeof presentPort === "number" ? presentPort : DEFAULT_PORT),
    bind,
    ...(customBindHost === undefined ? {} : { customBindHost }),
    auth: authFlags(context, config, askedTailscale),
    tailscale,
    resetOnExit:
      context.flag("tailscale-reset-on-exit") ||
      (askedTailscale === undefined && tailscale !== "off" && present["resetOnExit"] === true),
    installDaemon: context.flag("install-daemon") && !context.flag("skip-daemon"),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function authFlags(
  context: CommandContext,
  config: JsonObject,
  tailscale: LocalAnswers["tailscale"] | undefined,
): LocalAnswers["auth"] {
  const token = context.text("gateway-token");
  const password = context.text("gateway-password");
  const asked =
    tailscale === "funnel"
      ? "password"
      : (context.text("gateway-auth") ??
        (password !== undefined ? "password" : token !== undefined ? "token" : undefined));
  const kept = asked === undefined ? presentAuthMode(config) : undefined;
  if (kept !== undefined) return { mode: kept };
  if (asked !== "password") {
    if (token !== undefined) return { mode: "token", secret: { kind: "value", value: token } };
    // Somebody may use the one that is there.
    if (presentSecret(config, "token") !== undefined) return { mode: "token" };
    return { mode: "token", secret: newToken() };
  }
  if (password !== undefined) {
    return { mode: "password", secret: { kind: "value", value: password } };
  }
  const variable = passwordVariable(context);
  if (variable !== undefined) return { mode: "password", secret: variable };
  if (presentSecret(config, "password") !== undefined) return { mode: "password" };
  throw usageError(
    tailscale === "funnel"
      ? "--tailscale funnel needs a password: --gateway-password."
      : "--gateway-auth password needs --gateway-password.",
    "Or set OPENCLAW_GATEWAY_PASSWORD, which keeps the password out of the config file.",
  );
}

function modelFlags(context: CommandContext): ModelAnswer {
  const keys = Object.entries(MODEL_PROVIDERS).flatMap(([choice, { flag }]) => {
    const apiKey = context.text(flag);
    // The keys of the table are the choices.
    return apiKey === undefined ? [] : [{ choice: choice as AuthChoice, apiKey }];
  });
  const asked = context.text("auth-choice") as AuthChoice | undefined;
  const choice = asked ?? keys[0]?.choice ?? "skip";
  if (choice === "skip") return { choice };
  const apiKey = keys.find((key) => key.choice === choice)?.apiKey;
  if (apiKey === undefined) throw usageError(`--auth-choice ${choice} needs --${choice}.`);
  return { choice, apiKey, primary: MODEL_PROVIDERS[choice].model };
}
