import type { CommandSpec, OptionSpec } from "./command-spec.ts";
import { connectionOptions, JSON_OPTION, serviceOptions } from "./common-options.ts";
import { discoverCommand } from "./discover-command.ts";

const RUN_OPTIONS: readonly OptionSpec[] = [
  {
    name: "port",
    kind: "text",
    value: "port",
    description:
      "Port to listen on; 0 takes any free one. Else OPENCLAW_GATEWAY_PORT, gateway.port, 18789",
  },
  {
    name: "bind",
    kind: "text",
    value: "mode",
    description:
      "Where to listen: loopback, lan, tailnet, auto, custom. Else gateway.bind, loopback",
  },
  {
    name: "auth",
    kind: "text",
    value: "mode",
    description: "token, password, trusted-proxy, or none (loopback only)",
  },
  {
    name: "token",
    kind: "text",
    value: "token",
    description: "Secret of mode token; else OPENCLAW_GATEWAY_TOKEN",
  },
  {
    name: "password",
    kind: "text",
    value: "password",
    description: "Secret of mode password; else OPENCLAW_GATEWAY_PASSWORD",
  },
  {
    name: "password-file",
    kind: "text",
    value: "path",
    description: "Take the password from the first line of a file",
  },
  {
    name: "tailscale",
    kind: "text",
    value: "mode",
    description: "off, serve (your tailnet) or funnel (the internet). Else gateway.tailscale.mode",
  },
  {
    name: "tailscale-reset-on-exit",
    kind: "flag",
    description: "Take the Tailscale route away when the Gateway stops",
  },
  {
    name: "allow-unconfigured",
    kind: "flag",
    description: "Start although no config file says gateway.mode local",
  },
  { name: "verbose", kind: "flag", description: "Log more" },
  {
    name: "dev",
    kind: "flag",
    description: "Make a config for development where there is none: loopback, one agent named dev",
  },
  {
    name: "reset",
    kind: "flag",
    description: "With --dev: put its former config, credentials, sessions and workspace aside",
  },
  {
    name: "force",
    kind: "flag",
    description: "End whoever holds the port; without a terminal never another Gateway",
  },
  {
    name: "ws-log",
    kind: "text",
    value: "style",
    description:
      "Log each frame (full) or each answered request (compact), never what they carry; auto is compact with --verbose",
  },
  { name: "compact", kind: "flag", description: "Same as --ws-log compact" },
  // Other releases run models and channels in the Gateway; their scripts work here, with a warning.
  ...["raw-stream", "claude-cli-logs", "cli-backend-logs", "ambient-channels"].map(
    (name): OptionSpec => ({ name, kind: "flag", description: "Does nothing here", hidden: true }),
  ),
  {
    name: "raw-stream-path",
    kind: "text",
    value: "path",
    description: "Does nothing here",
    hidden: true,
  },
];

const runCommand: CommandSpec = {
  name: "run",
  summary: "run a Gateway in the foreground",
  description:
    "Listens until Ctrl-C. Without a config file, give the secret here; with one, gateway.mode must be local.",
  examples: [
    { command: "gateway run --token <token>", says: "listen on 127.0.0.1:18789" },
    {
      command: "gateway run --port 0 --auth none",
      says: "any free port, no secret, loopback only",
    },
    { command: "gateway run --tailscale serve", says: "reachable in your tailnet, over HTTPS" },
    { command: "gateway run", says: "as the config file says" },
  ],
  options: RUN_OPTIONS,
  toleratesBrokenConfig: true,
  load: () => import("../commands/gateway-run.ts"),
};

const installCommand: CommandSpec = {
  name: "install",
  summary: "run a Gateway as a service of this user, at every login",
  description:
    "Writes a launchd agent, a systemd user unit or a scheduled task, and starts it. It holds no secret: a token goes into the config file, made there when there is none.",
  examples: [
    { command: "gateway install", says: "with the config as it is" },
    { command: "gateway install --port 18790 --force", says: "again, on another port" },
  ],
  options: [
    {
      name: "port",
      kind: "integer",
      value: "port",
      description: "Port to listen on; else OPENCLAW_GATEWAY_PORT, gateway.port, 18789",
    },
    {
      name: "token",
      kind: "text",
      value: "token",
      description: "Secret of mode token; written to the config file",
    },
    ...serviceOptions(),
    {
      name: "allow-unconfigured",
      kind: "flag",
      description: "Run although no config file says gateway.mode local",
    },
  ],
  toleratesBrokenConfig: true,
  load: () => import("../commands/gateway-install.ts"),
};

const controlCommands: readonly CommandSpec[] = [
  {
    name: "uninstall",
    summary: "stop the service and remove it",
    description: "The config file and the state stay.",
    examples: [{ command: "gateway uninstall", says: "undoes gateway install" }],
    options: [JSON_OPTION],
    toleratesBrokenConfig: true,
    load: () => import("../commands/gateway-uninstall.ts"),
  },
  {
    name: "start",
    summary: "start the service, or a Gateway in the foreground where there is none",
    description:
      "Runs in the foreground without an installed service, under a supervisor, and with --foreground; it then takes the options of gateway run. With --json it never does.",
    examples: [
      { command: "gateway start", says: "the installed service" },
      { command: "gateway start --foreground", says: "here, until Ctrl-C" },
    ],
    options: [
      { name: "foreground", kind: "flag", description: "Run here, whatever is installed" },
      ...RUN_OPTIONS,
      JSON_OPTION,
    ],
    toleratesBrokenConfig: true,
    load: () => import("../commands/gateway-start.ts"),
  },
  {
    name: "stop",
    summary: "stop the service, or the Gateway that runs without one",
    examples: [{ command: "gateway stop", says: "until the next login, or gateway start" }],
    options: [
      { name: "disable", kind: "flag", description: "Also not at the next login" },
      {
        name: "force",
        kind: "flag",
        description: "End a Gateway without a service at once when it does not end by itself",
      },
      JSON_OPTION,
    ],
    toleratesBrokenConfig: true,
    load: () => import("../commands/gateway-stop.ts"),
  },
  {
    name: "restart",
    summary: "restart the service, or the Gateway that runs without one",
    examples: [{ command: "gateway restart", says: "after a change of the config" }],
    options: [
      {
        name: "wait",
        kind: "duration",
        default: "20s",
        description: "How long it may take until it listens",
      },
      // For scripts of other releases: a restart here is always a safe one of the same definition.
      ...["safe", "skip-deferral", "force", "preserve-definition"].map((name): OptionSpec => ({
        name,
        kind: "flag",
        description: "Always so",
        hidden: true,
      })),
      JSON_OPTION,
    ],
    toleratesBrokenConfig: true,
    load: () => import("../commands/gateway-restart.ts"),
  },
];

const statusCommand: CommandSpec = {
  name: "status",
  summary: "show how the Gateway of this machine is set up and whether it answers",
  examples: [
    { command: "gateway status", says: "config, port, who holds it, and a probe" },
    {
      command: "gateway status --require-rpc --json",
      says: "for scripts: exit 1 when it does not answer",
    },
  ],
  options: [
    ...connectionOptions({ timeoutMs: 10_000, port: true }),
    { name: "no-probe", kind: "flag", description: "Do not connect" },
    { name: "require-rpc", kind: "flag", description: "Exit 1 when the probe fails" },
    {
      name: "deep",
      kind: "flag",
      description: "Also look for services of former releases in the folders of the system",
    },
  ],
  toleratesBrokenConfig: true,
  load: () => import("../commands/gateway-status.ts"),
};

const healthCommand: CommandSpec = {
  name: "health",
  summary: "ask the Gateway for its health",
  examples: [{ command: "gateway health", says: "OK, and how long it took" }],
  options: [
    ...connectionOptions({ timeoutMs: 10_000, port: true }),
    { name: "expect-final", kind: "flag", description: "Wait for the final answer", hidden: true },
  ],
  toleratesBrokenConfig: true,
  load: () => import("../commands/gateway-health.ts"),
};

const probeCommand: CommandSpec = {
  name: "probe",
  summary: "try every Gateway that this machine knows of",
  examples: [
    { command: "gateway probe", says: "the local one and the configured remote one" },
    { command: "gateway probe --url wss://gw.example --token <token>", says: "and this one" },
    { command: "gateway probe --ssh me@box --token <token>", says: "and the one behind SSH" },
  ],
  options: [
    {
      name: "ssh",
      kind: "text",
      value: "target",
      description: "Also try the Gateway behind this SSH target (the configured one)",
    },
    {
      name: "ssh-auto",
      kind: "flag",
      description: "Without an SSH target, try the first that the local network tells of",
    },
    ...connectionOptions({ timeoutMs: 3_000, port: true }),
  ],
  toleratesBrokenConfig: true,
  load: () => import("../commands/gateway-probe.ts"),
};

const certificateCommand: CommandSpec = {
  name: "certificate",
  summary: "show the Gateway's TLS certificate and what clients pin of it",
  description:
    "Of this machine. A certificate that the Gateway has made for itself can be renewed, with the same key: clients that pin the public key notice nothing.",
  examples: [
    { command: "gateway certificate", says: "fingerprint, public key, and until when it is valid" },
    {
      command: "gateway certificate --renew",
      says: "another ten years, with this machine's names of now",
    },
  ],
  options: [
    { name: "renew", kind: "flag", description: "Issue it anew, with the same key" },
    JSON_OPTION,
  ],
  load: () => import("../commands/gateway-certificate.ts"),
};

const callCommand: CommandSpec = {
  name: "call",
  summary: "call any method of the Gateway",
  examples: [
    { command: "gateway call node.list", says: "what nodes there are, as the wire has it" },
    {
      command: `gateway call node.describe --params '{"nodeId":"…"}' --json`,
      says: "only the answer, for scripts",
    },
  ],
  arguments: [
    {
      name: "method",
      description: "Name of the method, such as health or node.list",
      required: true,
    },
  ],
  options: [
    {
      name: "params",
      kind: "text",
      value: "json",
      default: "{}",
      description: "Parameters, a JSON object",
    },
    ...connectionOptions({ timeoutMs: 10_000, port: true }),
    {
      name: "expect-final",
      kind: "flag",
      description: "Wait for the final answer of a call that answers twice",
    },
    {
      name: "expect-url",
      kind: "text",
      value: "url",
      description: "Do nothing when the chosen Gateway is another one",
    },
  ],
  toleratesBrokenConfig: true,
  failurePrefix: "Gateway call failed:",
  load: () => import("../commands/gateway-call.ts"),
};

export const gatewayCommands: CommandSpec = {
  name: "gateway",
  summary: "run a Gateway, look at one, call its methods",
  examples: [
    { command: "gateway run --token <token>", says: "run one here" },
    { command: "gateway status", says: "see whether it answers, and what is in the way" },
  ],
  defaultCommand: "run",
  commands: [
    runCommand,
    installCommand,
    ...controlCommands,
    statusCommand,
    healthCommand,
    probeCommand,
    discoverCommand,
    certificateCommand,
    callCommand,
  ],
};

export const healthTopCommand: CommandSpec = {
  name: "health",
  summary: "check that the Gateway answers and lets you in",
  examples: [
    { command: "health", says: "of the configured Gateway" },
    { command: "health --json", says: "the Gateway's own report, for scripts" },
    { command: "health --url ws://127.0.0.1:18790 --token <token>", says: "of another one" },
  ],
  options: [
    ...connectionOptions({ timeoutMs: 10_000, port: true }),
    {
      name: "verbose",
      kind: "flag",
      description: "Probe channels too, and show where it connected to",
    },
    { name: "debug", kind: "flag", description: "Same as --verbose", hidden: true },
  ],
  toleratesBrokenConfig: true,
  failurePrefix: "❌ Gateway is not healthy:",
  load: () => import("../commands/health.ts"),
};

export const statusTopCommand: CommandSpec = {
  name: "status",
  summary: "show this machine, its Gateway and its nodes at a glance",
  description: "Always exits 0: a Gateway that does not answer is part of the answer.",
  examples: [
    { command: "status", says: "an overview" },
    { command: "status --deep", says: "with the Gateway's health" },
    { command: "status --json", says: "for scripts" },
  ],
  options: [
    ...connectionOptions({ timeoutMs: 10_000, port: true }),
    { name: "deep", kind: "flag", description: "Ask the Gateway for its health, probes included" },
    {
      name: "all",
      kind: "flag",
      description: "A read-only report with a diagnosis, fit for pasting",
    },
    { name: "verbose", kind: "flag", description: "Show where it connected to" },
    { name: "debug", kind: "flag", description: "Same as --verbose", hidden: true },
  ],
  toleratesBrokenConfig: true,
  load: () => import("../commands/status.ts"),
};
