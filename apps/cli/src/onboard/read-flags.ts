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
import { defaultWorkspace, newToken, passwordVariable, presentSecret } from "./defaults.ts";

const DEFAULT_PORT = 18_789;

/**
 * The answers that flags give, with defaults for the rest: what `--non-interactive` goes by, and what a
 * person is offered.
 *
 * @param config the config that is there; what it has is kept.
 * @throws {CliError} `cli_error` for flags that contradict each other or lack what they need
 */
export function readFlags(context: CommandContext, config: JsonObject): Answers {
  return context.text("mode") === "remote" ? remoteFlags(context) : localFlags(context, config);
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
  const tailscale = (context.text("tailscale") ?? "off") as LocalAnswers["tailscale"];
  const bind = context.text("gateway-bind") ?? "loopback";
  if (tailscale !== "off" && bind !== "loopback") {
    throw usageError(
      `--tailscale ${tailscale} needs --gateway-bind loopback, not ${bind}.`,
      "Tailscale forwards to loopback; bind tailnet reaches the tailnet without Serve.",
    );
  }
  const customBindHost = context.text("gateway-custom-bind-host");
  if (bind === "custom" && customBindHost === undefined) {
    throw usageError("--gateway-bind custom needs --gateway-custom-bind-host.");
  }
  return {
    mode: "local",
    workspace: expandHome(context.text("workspace") ?? defaultWorkspace(paths), paths.home),
    model: modelFlags(context),
    port: context.integer("gateway-port") ?? DEFAULT_PORT,
    bind,
    ...(customBindHost === undefined ? {} : { customBindHost }),
    auth: authFlags(context, config, tailscale),
    tailscale,
    resetOnExit: context.flag("tailscale-reset-on-exit"),
    installDaemon: context.flag("install-daemon") && !context.flag("skip-daemon"),
  };
}

function authFlags(
  context: CommandContext,
  config: JsonObject,
  tailscale: LocalAnswers["tailscale"],
): LocalAnswers["auth"] {
  const token = context.text("gateway-token");
  const password = context.text("gateway-password");
  const mode =
    tailscale === "funnel"
      ? "password"
      : (context.text("gateway-auth") ?? (password === undefined ? "token" : "password"));
  if (mode !== "password") {
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
