import type { CommandSpec, OptionSpec } from "./command-spec.ts";
import { connectionOptions, JSON_OPTION } from "./common-options.ts";
import { configureCommand } from "./onboard-commands.ts";

const PATH_ARGUMENT = {
  name: "path",
  description: "Such as gateway.port or agents.list[0].name",
  required: true,
} as const;

const DRY_RUN_OPTION: OptionSpec = {
  name: "dry-run",
  kind: "flag",
  description: "Check the result and write nothing",
};

const CONFIRM_OPTION: OptionSpec = {
  name: "confirm",
  kind: "duration",
  value: "time",
  min: 1_000,
  description:
    "Change it through the Gateway, which takes it back unless a new connection confirms it in time",
};

/** With `--confirm` the Gateway is talked to. */
const CHANGE_OPTIONS = [
  DRY_RUN_OPTION,
  CONFIRM_OPTION,
  ...connectionOptions({ timeoutMs: 10_000 }),
];

const PATH_SYNTAX =
  "A path has dots between its keys, [2] for the third item of a list, and a backslash before a dot that belongs to a key.";

export const configCommands: CommandSpec = {
  name: "config",
  summary: "read and change the config file, comments kept",
  examples: [
    { command: "config get gateway.port", says: "one value" },
    { command: "config set gateway.port 19000", says: "change it; how to undo it is printed" },
    { command: "config validate", says: "every problem of the file" },
  ],
  // Called bare, it asks what to change.
  defaultCommand: "wizard",
  commands: [
    {
      ...configureCommand,
      name: "wizard",
      examples: [
        { command: "config wizard", says: "choose what to change; a bare config does the same" },
        { command: "config wizard --section gateway", says: "port, bind, secret, Tailscale" },
      ],
    },
    {
      name: "get",
      summary: "print a value as it counts, variables replaced and secrets hidden",
      description: PATH_SYNTAX,
      examples: [
        { command: "config get gateway.port", says: "a number, bare" },
        { command: "config get gateway --json", says: "a section" },
      ],
      arguments: [PATH_ARGUMENT],
      options: [
        { name: "show-secrets", kind: "flag", description: "Print secrets as they are" },
        JSON_OPTION,
      ],
      toleratesBrokenConfig: true,
      hidesBanner: true,
      load: () => import("../commands/config-get.ts"),
    },
    {
      name: "set",
      summary: "change one key, and leave the rest of the file as it is",
      description: `The value is JSON5, or else a text; \${NAME} refers to a variable, and $\${NAME} is that text. With --json it has to be JSON5. ${PATH_SYNTAX}`,
      examples: [
        { command: "config set gateway.port 19000", says: "a number" },
        {
          command: "config set gateway.trustedProxies '[\"10.0.0.0/8\"]'",
          says: "a list",
        },
        {
          command: "config set gateway.auth.token --value-file -",
          says: "a secret from stdin, past the history of your shell",
        },
        {
          command: "config set gateway.bind lan --confirm 60s",
          says: "taken back by itself if the Gateway cannot be reached any more",
        },
      ],
      arguments: [PATH_ARGUMENT, { name: "value", description: "JSON5 or a text" }],
      options: [
        {
          name: "value-file",
          kind: "text",
          value: "path",
          description: "Take the value from a file, as a text; - reads stdin",
        },
        { name: "strict-json", kind: "flag", description: "Refuse a value that is not JSON5" },
        ...CHANGE_OPTIONS,
      ],
      toleratesBrokenConfig: true,
      load: () => import("../commands/config-set.ts"),
    },
    {
      name: "unset",
      summary: "remove one key",
      description: PATH_SYNTAX,
      examples: [{ command: "config unset gateway.port", says: "back to the default" }],
      arguments: [PATH_ARGUMENT],
      options: [DRY_RUN_OPTION, JSON_OPTION],
      toleratesBrokenConfig: true,
      load: () => import("../commands/config-unset.ts"),
    },
    {
      name: "file",
      summary: "print where the config file is",
      examples: [{ command: "config file", says: "its path, also where there is none yet" }],
      options: [JSON_OPTION],
      toleratesBrokenConfig: true,
      hidesBanner: true,
      load: () => import("../commands/config-file.ts"),
    },
    {
      name: "validate",
      summary: "check the config file, and name every problem",
      examples: [{ command: "config validate --json", says: "for a script; exit 1 when invalid" }],
      options: [JSON_OPTION],
      toleratesBrokenConfig: true,
      load: () => import("../commands/config-validate.ts"),
    },
    {
      name: "schema",
      summary: "print the JSON Schema of the config file",
      examples: [{ command: "config schema > openclaw.schema.json", says: "for your editor" }],
      options: [JSON_OPTION],
      toleratesBrokenConfig: true,
      hidesBanner: true,
      load: () => import("../commands/config-schema.ts"),
    },
    {
      name: "diff",
      summary: "compare the config file with the running Gateway, or with a former file",
      description:
        "Without --against: the Gateway of --url, or of this machine where one runs, else the file before the last change. Secrets are hidden; of a Gateway's secrets nobody can tell whether they differ.",
      examples: [
        { command: "config diff", says: "what is not applied yet, or was changed last" },
        { command: "config diff --against last-good", says: "since the config was last good" },
      ],
      options: [
        {
          name: "against",
          kind: "text",
          value: "what",
          description: "gateway, backup, last-good, or the path of a file",
        },
        ...connectionOptions({ timeoutMs: 10_000 }),
      ],
      toleratesBrokenConfig: true,
      load: () => import("../commands/config-diff.ts"),
    },
    {
      name: "patch",
      summary: "merge a JSON object into the config file; null removes a key",
      examples: [
        { command: "config patch change.json5", says: "from a file" },
        { command: "config patch --stdin --dry-run", says: "would it be valid?" },
      ],
      arguments: [{ name: "file", description: "The patch; - reads stdin" }],
      options: [
        { name: "file", kind: "text", value: "path", description: "The patch", hidden: true },
        { name: "stdin", kind: "flag", description: "Read the patch from stdin" },
        ...CHANGE_OPTIONS,
      ],
      toleratesBrokenConfig: true,
      load: () => import("../commands/config-patch.ts"),
    },
    {
      name: "apply",
      summary: "put another file in the place of the config file",
      examples: [
        { command: "config apply new.json5 --dry-run", says: "check it first" },
        {
          command: "config apply new.json5 --confirm 60s",
          says: "taken back by itself if the Gateway cannot be reached any more",
        },
      ],
      arguments: [{ name: "file", description: "The new config; - reads stdin", required: true }],
      options: CHANGE_OPTIONS,
      toleratesBrokenConfig: true,
      load: () => import("../commands/config-apply.ts"),
    },
  ],
};
