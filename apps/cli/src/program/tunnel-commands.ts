import type { ArgumentSpec, CommandSpec, OptionSpec } from "./command-spec.ts";
import { JSON_OPTION, serviceOptions } from "./common-options.ts";

/** Where a tunnel goes, and what goes through it. A service is given those that were typed. */
export const TUNNEL_OPTIONS: readonly OptionSpec[] = [
  {
    name: "forward",
    short: "L",
    kind: "list",
    value: "spec",
    description:
      "Forward, as ssh -L takes it: port:host:hostport, or a port alone; else LocalForward of your ssh config, else the Gateway's port",
  },
  {
    name: "identity",
    short: "i",
    kind: "text",
    value: "path",
    description: "Private key, instead of those of your ssh config",
  },
  {
    name: "known-hosts",
    kind: "text",
    value: "path",
    description: "Known hosts, instead of those of your ssh config",
  },
  {
    name: "accept-new",
    kind: "flag",
    description: "Record the key of a host that has none yet, and show its fingerprint",
  },
  {
    name: "host-key",
    kind: "text",
    value: "fingerprint",
    description: "The only host key to accept, as SHA256:…",
  },
  {
    name: "ssh-config",
    short: "F",
    kind: "text",
    value: "path|none",
    description: "Another ssh config, or none at all",
  },
  {
    name: "engine",
    kind: "text",
    value: "engine",
    choices: ["ssh2", "system"],
    description: "In this process, or the system's ssh; else by what your ssh config needs",
  },
  {
    name: "fallback-port",
    kind: "flag",
    description: "Take a free local port where the one that was asked for is taken, and say which",
  },
];

const NAME_OPTION: OptionSpec = {
  name: "name",
  kind: "text",
  value: "name",
  description: "What to call it; else after the host",
};

const TARGET_ARGUMENT: ArgumentSpec = {
  name: "target",
  description: "user@host[:port], ssh://user@host, an ssh alias; else the Gateway of your config",
  completes: "ssh-host",
};

const NAME_ARGUMENT: ArgumentSpec = {
  name: "name",
  description: "Which tunnel; not needed where there is one",
};

export const tunnelCommands: CommandSpec = {
  name: "tunnel",
  summary: "forward ports through SSH, and keep them forwarded",
  examples: [
    { command: "tunnel open me@box", says: "the Gateway of box, on its port, on this machine" },
    { command: "tunnel install me@box", says: "the same, at every login" },
    { command: "tunnel status", says: "what is open, and through what" },
  ],
  commands: [
    {
      name: "open",
      summary: "open a tunnel in the foreground, like ssh -N -L, but it comes back",
      description:
        "Prints each forward as soon as it listens, and each change on stderr; --json prints one document when the tunnel is open. Ctrl-C closes it. Ends with 78 when another attempt cannot help: host key, authentication, configuration.",
      examples: [
        { command: "tunnel open me@box", says: "the port of the Gateway" },
        {
          command: "tunnel open me@box -L 18790:127.0.0.1:18789 -L 8080:127.0.0.1:80",
          says: "ports of your choice",
        },
        { command: "tunnel open gateway-box", says: "an alias, with its LocalForward" },
        {
          command: "tunnel open me@box --accept-new --identity ~/.ssh/box",
          says: "a host that you have not met",
        },
      ],
      arguments: [TARGET_ARGUMENT],
      options: [
        ...TUNNEL_OPTIONS,
        NAME_OPTION,
        { name: "verbose", kind: "flag", description: "Log more" },
        { ...JSON_OPTION, description: "Print one JSON document when it is open, also on failure" },
      ],
      load: () => import("../commands/tunnel-open.ts"),
    },
    {
      name: "status",
      summary: "show a tunnel: its state, forwards, engine and service",
      examples: [
        { command: "tunnel status", says: "every one" },
        { command: "tunnel status box --json", says: "one, for scripts" },
      ],
      arguments: [{ name: "name", description: "Which tunnel; else all" }],
      options: [JSON_OPTION],
      toleratesBrokenConfig: true,
      load: () => import("../commands/tunnel-status.ts"),
    },
    {
      name: "list",
      summary: "list the tunnels that run or are installed",
      examples: [{ command: "tunnel list", says: "one line each" }],
      options: [JSON_OPTION],
      toleratesBrokenConfig: true,
      load: () => import("../commands/tunnel-list.ts"),
    },
    {
      name: "install",
      summary: "keep a tunnel open as a service of this user, at every login",
      description:
        "Writes a launchd agent, a systemd user unit or a scheduled task that runs tunnel open, starts it, and waits until it is open. What earlier releases and tutorials have left is found, and removed on request.",
      examples: [
        { command: "tunnel install me@box", says: "the Gateway of box, on this machine" },
        {
          command: "tunnel install me@box --name web -L 8080:127.0.0.1:80",
          says: "a second one",
        },
        {
          command: "tunnel install me@box --force --replace-leftovers",
          says: "instead of what is there",
        },
      ],
      arguments: [TARGET_ARGUMENT],
      options: [
        ...TUNNEL_OPTIONS,
        { ...NAME_OPTION, description: "Tells it from other tunnels of this profile" },
        {
          name: "replace-leftovers",
          kind: "flag",
          description: "Remove tunnels under former names, such as com.clawdbot.ssh-tunnel",
        },
        ...serviceOptions(),
      ],
      load: () => import("../commands/tunnel-install.ts"),
    },
    {
      name: "uninstall",
      summary: "stop a tunnel's service and remove it",
      examples: [{ command: "tunnel uninstall web", says: "it tells how to undo that" }],
      arguments: [NAME_ARGUMENT],
      options: [JSON_OPTION],
      toleratesBrokenConfig: true,
      load: () => import("../commands/tunnel-uninstall.ts"),
    },
    {
      name: "restart",
      summary: "restart a tunnel's service, or start it after a stop",
      examples: [{ command: "tunnel restart web", says: "and wait until it is open" }],
      arguments: [NAME_ARGUMENT],
      options: [JSON_OPTION],
      toleratesBrokenConfig: true,
      load: () => import("../commands/tunnel-restart.ts"),
    },
    {
      name: "stop",
      summary: "stop a tunnel, whether it is a service or runs in the foreground",
      examples: [{ command: "tunnel stop box", says: "a service comes back at the next login" }],
      arguments: [NAME_ARGUMENT],
      options: [JSON_OPTION],
      toleratesBrokenConfig: true,
      load: () => import("../commands/tunnel-stop.ts"),
    },
  ],
};
