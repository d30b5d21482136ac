import type { CommandSpec } from "./command-spec.ts";
import { connectionOptions, JSON_OPTION, serviceOptions } from "./common-options.ts";

/** `openclaw qr`: the side that lets somebody in. */
export const qrCommand: CommandSpec = {
  name: "qr",
  summary: "make a setup code that lets one device in",
  description:
    "Prints the code and a QR image of it. It serves one device, once, within ten minutes; whoever has it is let in, so show it to nobody else. Over a plain ws:// address it gives limited access.",
  examples: [
    { command: "qr", says: "scan it, or type openclaw connect <code> on the other machine" },
    { command: "qr --node", says: "for a machine that only executes commands" },
    {
      command: "qr --setup-code-only | ssh me@box openclaw connect --target-file -",
      says: "straight to another machine",
    },
    { command: "qr --public-url wss://gw.example", says: "behind your own reverse proxy" },
  ],
  options: [
    { name: "setup-code-only", kind: "flag", description: "Print the code and nothing else" },
    { name: "no-ascii", kind: "flag", description: "Print no QR image" },
    { name: "limited", kind: "flag", description: "Without the right to administrate" },
    { name: "node", kind: "flag", description: "As a node alone" },
    { name: "voice-node", kind: "flag", description: "As a node that may also read and talk" },
    {
      name: "public-url",
      kind: "text",
      value: "url",
      description: "Address to write into the code, instead of those the Gateway knows",
    },
    {
      name: "remote",
      kind: "flag",
      description: "Write gateway.remote.url into the code",
    },
    ...connectionOptions({ timeoutMs: 10_000 }),
  ],
  load: () => import("../commands/qr.ts"),
};

/** `openclaw connect`: the side that comes in. */
export const connectCommand: CommandSpec = {
  name: "connect",
  summary: "pair this machine with a setup code, and run as a node",
  description:
    "Where the code gives access as an operator, commands of this machine go to that Gateway from then on.",
  examples: [
    { command: "connect <code>", says: "the code that openclaw qr has printed; until Ctrl-C" },
    {
      command: "connect --target-file code.txt --service",
      says: "and at every login, as a service",
    },
    { command: "connect <code> --ephemeral", says: "keep nothing once it ends" },
  ],
  arguments: [{ name: "target", description: "The setup code, with or without oc-pair://" }],
  options: [
    {
      name: "target-file",
      kind: "text",
      value: "path",
      description: "Read the code from a file, or with - from stdin",
    },
    { name: "service", kind: "flag", description: "Run as a service of this user, at every login" },
    { name: "ephemeral", kind: "flag", description: "Keep neither identity nor pairing" },
    {
      name: "display-name",
      kind: "text",
      value: "name",
      description: "Name to show (the host's name)",
    },
    {
      name: "commands",
      kind: "text",
      value: "ids",
      description: "Serve these commands only, separated by commas",
    },
    {
      name: "all-commands",
      kind: "flag",
      description: "Serve every command, as without --commands",
    },
    { name: "verbose", kind: "flag", description: "Log more" },
    // A node in the foreground has no answer to print.
    ...serviceOptions().filter((option) => option !== JSON_OPTION),
  ],
  load: () => import("../commands/connect.ts"),
};
