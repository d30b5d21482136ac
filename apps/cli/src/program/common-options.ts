import type { OptionSpec } from "./command-spec.ts";

export const JSON_OPTION: OptionSpec = {
  name: "json",
  kind: "flag",
  description: "Print one JSON document, also on failure",
};

export const ACCEPT_NEW_OPTION: OptionSpec = {
  name: "accept-new",
  kind: "flag",
  description: "Record the key of an SSH host that has none yet, and show its fingerprint",
};

/** Which certificate is the Gateway's. */
export const TLS_PIN_OPTION: OptionSpec = {
  name: "tls-fingerprint",
  kind: "list",
  value: "sha256",
  description:
    "With wss://: the only certificate to accept, in hex, or key, sha256//…; twice, where another is to follow",
};

/** How to get to a Gateway behind SSH. */
export const SSH_OPTIONS: readonly OptionSpec[] = [
  {
    name: "ssh-identity",
    kind: "text",
    value: "path",
    description: "Private key for SSH, instead of those of your ssh config",
  },
  {
    name: "ssh-host-key",
    kind: "text",
    value: "fingerprint",
    description: "The only SSH host key to accept, as SHA256:…",
  },
  {
    name: "ssh-known-hosts",
    kind: "text",
    value: "path",
    description: "Known SSH hosts, instead of those of your ssh config",
  },
  ACCEPT_NEW_OPTION,
];

export interface ConnectionOptionsInput {
  /** Default of `--timeout`. */
  timeoutMs: number;
  /** Offers `--port` for a Gateway of this machine. */
  port?: boolean;
}

/** Which Gateway, with which credential, for how long, and how to print. */
export function connectionOptions({
  timeoutMs,
  port = false,
}: ConnectionOptionsInput): OptionSpec[] {
  return [
    {
      name: "url",
      kind: "text",
      value: "url",
      description:
        "Gateway to talk to: ws://, wss://, ssh://user@host or an ssh alias; needs --token or --password",
    },
    ...(port
      ? [
          {
            name: "port",
            kind: "integer",
            value: "port",
            description: "Talk to the Gateway on this port of this machine",
          } satisfies OptionSpec,
        ]
      : []),
    { name: "token", kind: "text", value: "token", description: "Shared token of the Gateway" },
    {
      name: "password",
      kind: "text",
      value: "password",
      description: "Shared password of the Gateway",
    },
    TLS_PIN_OPTION,
    ...SSH_OPTIONS,
    {
      name: "timeout",
      kind: "integer",
      value: "ms",
      default: timeoutMs,
      description: "Time for connecting and the answer",
    },
    JSON_OPTION,
  ];
}

/** A node by id, address or name. */
export const NODE_OPTION: OptionSpec = {
  name: "node",
  kind: "text",
  value: "id|name|ip",
  description: "The node: id or the first 6 characters of it, name, or address",
  required: true,
};

export function invokeTimeoutOption(defaultMs: number): OptionSpec {
  return {
    name: "invoke-timeout",
    kind: "integer",
    value: "ms",
    min: 0,
    default: defaultMs,
    description: "Time for the node to finish; 0 means the Gateway's default",
  };
}

export const IDEMPOTENCY_OPTION: OptionSpec = {
  name: "idempotency-key",
  kind: "text",
  value: "key",
  description: "Runs at most once under this key; the same key again gets the same result",
};

/** Options of a command that installs a service. */
export function serviceOptions(): OptionSpec[] {
  return [
    {
      name: "runtime",
      kind: "text",
      value: "runtime",
      choices: ["node", "bun"],
      default: "node",
      description: "What runs the program; bun cannot",
    },
    {
      name: "runtime-path",
      kind: "text",
      value: "path",
      description: "The Node to run it with; else the one that runs this command",
    },
    { name: "force", kind: "flag", description: "Replace a service that is installed" },
    {
      name: "enable-linger",
      kind: "flag",
      description: "Linux: keep the services of this user running without a login",
    },
    JSON_OPTION,
  ];
}
