import type { CommandSpec, OptionSpec } from "./command-spec.ts";
import {
  connectionOptions,
  IDEMPOTENCY_OPTION,
  invokeTimeoutOption,
  NODE_OPTION,
} from "./common-options.ts";

const FILTERS: readonly OptionSpec[] = [
  { name: "connected", kind: "flag", description: "Only nodes that are connected" },
  {
    name: "last-connected",
    kind: "duration",
    description: "Only nodes that were connected within this time, such as 24h",
  },
];
const SHORT = connectionOptions({ timeoutMs: 10_000 });
const REQUEST_ARGUMENT = {
  name: "requestId",
  description: "Id of the request, or the first 6 characters of it",
  required: true,
} as const;

const viewCommands: readonly CommandSpec[] = [
  {
    name: "list",
    summary: "list the nodes that are paired and those that ask",
    examples: [
      { command: "nodes list", says: "requests first, then nodes" },
      { command: "nodes list --last-connected 7d --json", says: "for scripts" },
    ],
    options: [...FILTERS, ...SHORT],
    load: () => import("../commands/nodes-list.ts"),
  },
  {
    name: "status",
    summary: "show which nodes are connected and what they offer",
    examples: [{ command: "nodes status --connected", says: "those that are there now" }],
    options: [...FILTERS, ...SHORT],
    load: () => import("../commands/nodes-status.ts"),
  },
  {
    name: "describe",
    summary: "show all that is known of one node",
    examples: [{ command: "nodes describe --node workshop-pi", says: "by name" }],
    options: [NODE_OPTION, ...SHORT],
    load: () => import("../commands/nodes-describe.ts"),
  },
];

const pairingCommands: readonly CommandSpec[] = [
  {
    name: "pending",
    summary: "list the nodes that wait for approval",
    examples: [{ command: "nodes pending", says: "with the ids that approve and reject take" }],
    options: SHORT,
    load: () => import("../commands/nodes-pending.ts"),
  },
  {
    name: "approve",
    summary: "let a node in, with the commands it declares",
    description:
      "Takes the id that the node prints, or that of a wider command surface an already paired node asks for.",
    examples: [
      { command: "nodes approve 6f1c2a", says: "the first characters of the id are enough" },
    ],
    arguments: [REQUEST_ARGUMENT],
    options: SHORT,
    load: () => import("../commands/devices-approve.ts"),
  },
  {
    name: "reject",
    summary: "turn a node's request down",
    examples: [{ command: "nodes reject 6f1c2a", says: "the node may ask again" }],
    arguments: [REQUEST_ARGUMENT],
    options: SHORT,
    load: () => import("../commands/devices-reject.ts"),
  },
  {
    name: "rename",
    summary: "give a node another name",
    examples: [
      {
        command: `nodes rename --node 4c1f02 --name "Workshop Pi"`,
        says: "the name wins over the node's own",
      },
    ],
    options: [
      NODE_OPTION,
      { name: "name", kind: "text", value: "name", description: "The new name", required: true },
      ...SHORT,
    ],
    load: () => import("../commands/nodes-rename.ts"),
  },
  {
    name: "remove",
    summary: "unpair a node",
    examples: [{ command: "nodes remove --node workshop-pi", says: "it has to ask again" }],
    options: [NODE_OPTION, ...SHORT],
    load: () => import("../commands/nodes-remove.ts"),
  },
];

const invokeCommands: readonly CommandSpec[] = [
  {
    name: "invoke",
    summary: "invoke a command on a node and print the result as JSON",
    description:
      "Each invocation runs at most once under its key. After a lost connection, ask with --status what became of it.",
    examples: [
      {
        command: `nodes invoke --node pi --command system.which --params '{"bins":["git"]}'`,
        says: "the JSON that the node answered",
      },
      {
        command: "nodes invoke --node pi --command backup.start --idempotency-key nightly-1",
        says: "safe to repeat",
      },
      {
        command: "nodes invoke --status nightly-1",
        says: "not sent, queued, running, finished or interrupted",
      },
    ],
    options: [
      { ...NODE_OPTION, required: false },
      { name: "command", kind: "text", value: "command", description: "Such as system.which" },
      {
        name: "params",
        kind: "text",
        value: "json",
        default: "{}",
        description: "Parameters of the command, JSON",
      },
      IDEMPOTENCY_OPTION,
      {
        name: "status",
        kind: "text",
        value: "key",
        description: "Do not invoke: tell what became of the invocation with this key",
      },
      invokeTimeoutOption(15_000),
      ...connectionOptions({ timeoutMs: 30_000 }),
    ],
    load: () => import("../commands/nodes-invoke.ts"),
  },
  {
    name: "run",
    summary: "run a program on a node and pass its output through",
    description:
      "Output appears as the program writes it. Ctrl-C stops the program on the node. Exit code 0 means that it ended with 0, everything else is 1.",
    examples: [
      { command: "nodes run --node pi -- uname -a", says: "a program with its arguments" },
      { command: "nodes run --node pi --raw 'df -h | head -3'", says: "a shell line" },
      {
        command: "nodes run --node pi --cwd /srv --env LOG=debug -- ./job",
        says: "in a folder, with a variable",
      },
    ],
    arguments: [{ name: "command", description: "Program and arguments", rest: true }],
    options: [
      NODE_OPTION,
      { name: "cwd", kind: "text", value: "path", description: "Working directory on the node" },
      { name: "env", kind: "list", value: "k=v", description: "Environment variable" },
      {
        name: "raw",
        kind: "text",
        value: "shell",
        description: "A line for the node's shell, instead of a program",
      },
      {
        name: "command-timeout",
        kind: "integer",
        value: "ms",
        description: "Time for the program itself; the node ends it then",
      },
      {
        name: "needs-screen-recording",
        kind: "flag",
        description: "Fail without that permission (macOS)",
      },
      {
        name: "agent",
        kind: "text",
        value: "id",
        description: "Run under the exec policy of this agent",
      },
      IDEMPOTENCY_OPTION,
      invokeTimeoutOption(30_000),
      ...connectionOptions({ timeoutMs: 35_000 }),
    ],
    load: () => import("../commands/nodes-run.ts"),
  },
  {
    name: "notify",
    summary: "show a notification on a node",
    examples: [
      {
        command: `nodes notify --node mac --title Done --body "The build is through" --sound Glass`,
        says: "with a sound",
      },
    ],
    options: [
      NODE_OPTION,
      {
        name: "title",
        kind: "text",
        value: "text",
        description: "Headline; this or --body is needed",
      },
      { name: "body", kind: "text", value: "text", description: "Text" },
      {
        name: "sound",
        kind: "text",
        value: "name",
        description: "Name of a sound on the node, such as Glass",
      },
      {
        name: "priority",
        kind: "text",
        value: "priority",
        choices: ["passive", "active", "timeSensitive"],
        description: "How much it may disturb",
      },
      {
        name: "delivery",
        kind: "text",
        value: "way",
        choices: ["system", "overlay", "auto"],
        default: "system",
        description: "Where it appears",
      },
      invokeTimeoutOption(15_000),
      ...SHORT,
    ],
    load: () => import("../commands/nodes-notify.ts"),
  },
];

export const nodesCommands: CommandSpec = {
  name: "nodes",
  summary: "see nodes, pair them, run things on them",
  examples: [
    { command: "nodes status", says: "who is there" },
    { command: "nodes run --node pi -- uptime", says: "run a program on one" },
  ],
  commands: [...viewCommands, ...pairingCommands, ...invokeCommands].map((command) => ({
    ...command,
    failurePrefix: `nodes ${command.name} failed:`,
  })),
};
