import type { CommandSpec, OptionSpec } from "./command-spec.ts";
import { JSON_OPTION } from "./common-options.ts";

const flag = (name: string, description: string): OptionSpec => ({
  name,
  kind: "flag",
  description,
});
const text = (name: string, value: string, description: string): OptionSpec => ({
  name,
  kind: "text",
  value,
  description,
});

const ONBOARD_OPTIONS: readonly OptionSpec[] = [
  {
    ...text("mode", "mode", "local: a Gateway here; remote: one elsewhere (local)"),
    choices: ["local", "remote"],
  },
  {
    ...text("flow", "flow", "quickstart, or advanced for every question"),
    choices: ["quickstart", "advanced", "manual"],
  },
  flag("non-interactive", "Ask nothing: flags and defaults decide; needs --accept-risk"),
  flag("accept-risk", "You know that an agent behind the Gateway can do what you can"),
  text("workspace", "path", "Folder that agents work in (~/.openclaw/workspace)"),
  flag("reset", "Begin with an empty config; a copy of the former one is kept"),
  {
    ...text("auth-choice", "choice", "How to log in to the agent's model"),
    choices: ["openai-api-key", "anthropic-api-key", "skip"],
  },
  text("openai-api-key", "key", "Key for OpenAI"),
  text("anthropic-api-key", "key", "Key for Anthropic"),
  {
    name: "gateway-port",
    kind: "integer",
    value: "port",
    description: "Port of the Gateway (18789)",
  },
  {
    ...text("gateway-bind", "mode", "loopback, lan, tailnet, auto, custom (loopback)"),
    choices: ["loopback", "lan", "tailnet", "auto", "custom"],
  },
  text("gateway-custom-bind-host", "address", "Address to listen on with --gateway-bind custom"),
  {
    ...text("gateway-auth", "mode", "token or password (token)"),
    choices: ["token", "password"],
  },
  text("gateway-token", "token", "Secret of mode token; else one is made"),
  text("gateway-password", "password", "Secret of mode password; else OPENCLAW_GATEWAY_PASSWORD"),
  {
    ...text("tailscale", "mode", "off, serve (your tailnet), funnel (the internet)"),
    choices: ["off", "serve", "funnel"],
  },
  flag("tailscale-reset-on-exit", "Take the route away when the Gateway stops"),
  text("remote-url", "url", "Gateway of --mode remote: ws://, wss:// or an SSH target"),
  text("remote-token", "token", "Its token"),
  text("remote-password", "password", "Its password"),
  text("remote-tls-fingerprint", "pin", "Its certificate or key, for wss://"),
  flag("install-daemon", "Keep the Gateway running as a service"),
  flag("no-install-daemon", "Do not ask about the service"),
  flag("skip-daemon", "Same as --no-install-daemon"),
  { ...text("daemon-runtime", "runtime", "node"), choices: ["node"], hidden: true },
  flag("skip-channels", "Do not ask about channels"),
  flag("skip-health", "Do not look whether the Gateway answers"),
  ...["skip-skills", "skip-ui", "skip-search", "skip-hooks", "skip-bootstrap"].map(
    (name): OptionSpec => ({ ...flag(name, "Accepted; there is nothing to skip"), hidden: true }),
  ),
  { ...text("node-manager", "name", "Accepted; nothing is installed"), hidden: true },
  JSON_OPTION,
];

export const onboardCommand: CommandSpec = {
  name: "onboard",
  summary: "set up a Gateway here, or the way to one elsewhere",
  description:
    "Asks what it needs and writes the config; with --non-interactive flags and defaults decide. What the config has already is kept.",
  examples: [
    { command: "onboard", says: "by questions" },
    {
      command: "onboard --non-interactive --accept-risk --install-daemon",
      says: "loopback, a new token, a service",
    },
    {
      command:
        "onboard --non-interactive --accept-risk --mode remote --remote-url ssh://me@box --remote-token <token>",
      says: "commands go to the Gateway on box",
    },
  ],
  options: ONBOARD_OPTIONS,
  toleratesBrokenConfig: true,
  load: () => import("../commands/onboard.ts"),
};

export const setupCommand: CommandSpec = {
  name: "setup",
  summary: "make a config file and a workspace",
  examples: [
    { command: "setup", says: "with defaults" },
    { command: "setup --wizard", says: "the same as onboard" },
  ],
  options: [flag("wizard", "Ask, as onboard does"), ...ONBOARD_OPTIONS],
  load: () => import("../commands/setup.ts"),
};

export const configureCommand: CommandSpec = {
  name: "configure",
  summary: "answer some questions of onboarding again",
  examples: [
    { command: "configure", says: "choose what to change" },
    { command: "configure --section gateway", says: "port, bind, secret, Tailscale" },
  ],
  options: [
    {
      name: "section",
      kind: "list",
      value: "name",
      description: "workspace, model, gateway, channels, daemon or health; may be given again",
    },
  ],
  load: () => import("../commands/configure.ts"),
};
