import type { CommandSpec, OptionSpec } from "./command-spec.ts";
import {
  ACCEPT_NEW_OPTION,
  JSON_OPTION,
  serviceOptions,
  SSH_OPTIONS,
  TLS_PIN_OPTION,
} from "./common-options.ts";

/** Which Gateway, and as what. A service is given those that were typed when it was installed. */
export const NODE_RUN_OPTIONS: readonly OptionSpec[] = [
  {
    name: "host",
    kind: "text",
    value: "host",
    description: "Host of the Gateway (127.0.0.1)",
  },
  {
    name: "port",
    kind: "integer",
    value: "port",
    description: "Port of the Gateway (18789)",
  },
  {
    name: "url",
    kind: "text",
    value: "url",
    description: "Address as a whole, instead of --host and --port",
  },
  {
    name: "ssh",
    kind: "text",
    value: "target",
    description: "Go through SSH: me@box, box:2222, or an alias of your ssh config",
  },
  {
    name: "remote-port",
    kind: "integer",
    value: "port",
    description: "With --ssh: port of the Gateway over there (18789)",
  },
  // A service has nobody who sees the fingerprint of a new key.
  ...SSH_OPTIONS.filter((option) => option !== ACCEPT_NEW_OPTION),
  { name: "tls", kind: "flag", description: "Use wss://" },
  { name: "no-tls", kind: "flag", description: "Use ws:// although wss:// was kept" },
  TLS_PIN_OPTION,
  {
    name: "display-name",
    kind: "text",
    value: "name",
    description: "Name to show (the host's name)",
  },
  {
    name: "node-id",
    kind: "text",
    value: "id",
    description: "Kept for old files; the id is the device's",
  },
  {
    name: "commands",
    kind: "text",
    value: "ids",
    description: "Serve these commands only, separated by commas",
  },
  { name: "verbose", kind: "flag", description: "Log more" },
];

/** A setup code serves once, so a service is never given one. */
const PAIR_OPTION: OptionSpec = {
  name: "pair",
  kind: "text",
  value: "code",
  description: "Pair with a setup code; it says where the Gateway is",
};

const CREDENTIAL_OPTIONS: readonly OptionSpec[] = [
  {
    name: "token",
    kind: "text",
    value: "token",
    description: "Shared token; else OPENCLAW_GATEWAY_TOKEN",
  },
  {
    name: "password",
    kind: "text",
    value: "password",
    description: "Shared password; else OPENCLAW_GATEWAY_PASSWORD",
  },
];

const runCommand: CommandSpec = {
  name: "run",
  summary: "connect this machine to a Gateway as a node, in the foreground",
  description:
    "Asks for pairing at first contact, waits, and goes on once an operator approves. Values given once are kept in node.json.",
  examples: [
    {
      command: "node run --host 127.0.0.1 --port 18789",
      says: "secret from OPENCLAW_GATEWAY_TOKEN",
    },
    {
      command: "node run --url wss://gw.example --token <token> --display-name 'Workshop Pi'",
      says: "another host",
    },
    {
      command: "node run --ssh me@box",
      says: "a Gateway behind SSH; nothing listens anywhere, and later runs go there again",
    },
  ],
  options: [...NODE_RUN_OPTIONS, PAIR_OPTION, ACCEPT_NEW_OPTION, ...CREDENTIAL_OPTIONS],
  load: () => import("../commands/node-run.ts"),
};

const serviceCommands: readonly CommandSpec[] = [
  {
    name: "install",
    summary: "make this machine a node as a service of this user, at every login",
    description:
      "Writes a launchd agent, a systemd user unit or a scheduled task, and starts it. It holds no secret: credentials come from the config file, and from a private file where only this shell has them.",
    examples: [
      { command: "node install --host 192.168.1.20", says: "of a Gateway in this network" },
      { command: "node install --force", says: "again, as it is kept" },
    ],
    options: [...NODE_RUN_OPTIONS, ...serviceOptions()],
    load: () => import("../commands/node-install.ts"),
  },
  {
    name: "uninstall",
    summary: "stop the node's service and remove it",
    description: "The node's identity and its pairing stay.",
    examples: [{ command: "node uninstall", says: "undoes node install" }],
    options: [JSON_OPTION],
    toleratesBrokenConfig: true,
    load: () => import("../commands/node-uninstall.ts"),
  },
  {
    name: "start",
    summary: "start the node's service",
    examples: [{ command: "node start", says: "after node stop" }],
    options: [JSON_OPTION],
    toleratesBrokenConfig: true,
    load: () => import("../commands/node-start.ts"),
  },
  {
    name: "stop",
    summary: "stop the node's service",
    examples: [{ command: "node stop", says: "until the next login, or node start" }],
    options: [
      { name: "disable", kind: "flag", description: "Also not at the next login" },
      JSON_OPTION,
    ],
    toleratesBrokenConfig: true,
    load: () => import("../commands/node-stop.ts"),
  },
  {
    name: "restart",
    summary: "restart the node's service",
    examples: [{ command: "node restart", says: "after a change of the config" }],
    options: [JSON_OPTION],
    toleratesBrokenConfig: true,
    load: () => import("../commands/node-restart.ts"),
  },
  {
    name: "status",
    summary: "show the node's service and whether it runs",
    examples: [
      { command: "node status", says: "of this machine" },
      { command: "node status --json", says: "for scripts" },
    ],
    options: [JSON_OPTION],
    toleratesBrokenConfig: true,
    load: () => import("../commands/node-status.ts"),
  },
];

export const nodeCommands: CommandSpec = {
  name: "node",
  summary: "make this machine a node",
  examples: [
    { command: "node run --host 127.0.0.1 --port 18789", says: "connect and serve until Ctrl-C" },
    { command: "node install", says: "and at every login, as a service" },
  ],
  commands: [runCommand, ...serviceCommands],
};
