import type { CommandSpec } from "./command-spec.ts";
import { JSON_OPTION, SSH_OPTIONS, TLS_PIN_OPTION } from "./common-options.ts";

export const remoteCommands: CommandSpec = {
  name: "remote",
  summary: "choose the Gateway that commands go to, and test the way there",
  examples: [
    { command: "remote set me@box", says: "the Gateway on box, through SSH" },
    { command: "remote test", says: "every step of the way, the first failing one explained" },
    { command: "remote unset", says: "the Gateway of this machine again" },
  ],
  commands: [
    {
      name: "set",
      summary: "make a Gateway elsewhere the default target",
      description:
        "Writes gateway.mode and gateway.remote, and leaves the rest of the config as it is. The target is me@box, box:2222, ssh://me@box/18789, an alias of your ssh config, or the ws:// or wss:// URL of a Gateway that is reached directly. A secret goes with the Gateway that it was for.",
      examples: [
        { command: "remote set me@box", says: "through SSH" },
        {
          command: "remote set me@box --identity ~/.ssh/id_box --remote-port 19000",
          says: "with a key of its own, and another port over there",
        },
        { command: "remote set box --token-file -", says: "an alias; the secret from stdin" },
        { command: "remote set wss://gateway.example", says: "without SSH" },
        {
          command: "remote set wss://192.168.1.20:18789 --tls-fingerprint sha256//…",
          says: "a Gateway in this network, known by the key that gateway status shows there",
        },
      ],
      arguments: [
        {
          name: "target",
          description: "SSH target, alias or Gateway URL",
          required: true,
          completes: "ssh-host",
        },
      ],
      options: [
        {
          name: "identity",
          kind: "text",
          value: "path",
          description: "Private key for SSH, instead of those of your ssh config",
        },
        {
          name: "remote-port",
          kind: "integer",
          value: "port",
          description: "Port of the Gateway over there (18789)",
        },
        {
          name: "direct",
          kind: "text",
          value: "url",
          description: "Go to this wss:// URL without a tunnel; the SSH target is kept beside it",
        },
        {
          name: "token-file",
          kind: "text",
          value: "path",
          description: "File with the Gateway's token; - reads stdin",
        },
        {
          name: "password-file",
          kind: "text",
          value: "path",
          description: "File with the Gateway's password; - reads stdin",
        },
        TLS_PIN_OPTION,
        { name: "ssh-identity", kind: "text", description: "Same as --identity", hidden: true },
        { name: "token", kind: "text", description: "Refused", hidden: true },
        { name: "password", kind: "text", description: "Refused", hidden: true },
        JSON_OPTION,
      ],
      load: () => import("../commands/remote-set.ts"),
    },
    {
      name: "show",
      summary: "show where commands go, and why there",
      examples: [{ command: "remote show --json", says: "for a script; no secret in it" }],
      options: [JSON_OPTION],
      load: () => import("../commands/remote-show.ts"),
    },
    {
      name: "unset",
      summary: "go to the Gateway of this machine again",
      examples: [{ command: "remote unset", says: "undoes remote set" }],
      options: [JSON_OPTION],
      load: () => import("../commands/remote-unset.ts"),
    },
    {
      name: "test",
      summary: "walk the way to the remote Gateway, step by step",
      description:
        "Name, SSH port, host key, login, openclaw over there, its status, the forward, the WebSocket, the secret, the pairing: each is shown as it ends, and the first that fails is explained. Exit 1 when one failed.",
      examples: [
        { command: "remote test", says: "what remote set has chosen" },
        { command: "remote test --ssh me@box --token <token>", says: "another, for once" },
        {
          command: "remote test --cli-path '~/openclaw/bin/openclaw.js'",
          says: "where openclaw is not on PATH over there",
        },
      ],
      options: [
        {
          name: "ssh",
          kind: "text",
          value: "target",
          description: "Test this SSH target, instead of the configured one",
        },
        {
          name: "url",
          kind: "text",
          value: "url",
          description: "Test this ws://, wss:// or ssh:// URL; needs --token or --password",
        },
        {
          name: "remote-port",
          kind: "integer",
          value: "port",
          description: "Port of the Gateway over there (18789)",
        },
        TLS_PIN_OPTION,
        ...SSH_OPTIONS,
        {
          name: "cli-path",
          kind: "text",
          value: "path",
          description: "The program over there, or its file for node",
        },
        {
          name: "project-root",
          kind: "text",
          value: "path",
          description: "A checkout over there that has the program",
        },
        { name: "token", kind: "text", value: "token", description: "Shared token of the Gateway" },
        {
          name: "password",
          kind: "text",
          value: "password",
          description: "Shared password of the Gateway",
        },
        {
          name: "timeout",
          kind: "integer",
          value: "ms",
          default: 10_000,
          description: "Time for each step; a program over there gets 20 seconds",
        },
        JSON_OPTION,
      ],
      load: () => import("../commands/remote-test.ts"),
    },
  ],
};
