import type { CommandSpec, OptionSpec } from "./command-spec.ts";

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
  { name: "tls", kind: "flag", description: "Use wss://" },
  { name: "no-tls", kind: "flag", description: "Use ws:// although wss:// was kept" },
  {
    name: "tls-fingerprint",
    kind: "text",
    value: "sha256",
    description: "The only certificate to accept",
  },
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
  { name: "verbose", kind: "flag", description: "Log more" },
];

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
  ],
  options: [...NODE_RUN_OPTIONS, ...CREDENTIAL_OPTIONS],
  load: () => import("../commands/node-run.ts"),
};

export const nodeCommands: CommandSpec = {
  name: "node",
  summary: "make this machine a node",
  examples: [
    { command: "node run --host 127.0.0.1 --port 18789", says: "connect and serve until Ctrl-C" },
  ],
  commands: [runCommand],
};
