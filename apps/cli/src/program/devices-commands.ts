import type { CommandSpec, OptionSpec } from "./command-spec.ts";
import { connectionOptions } from "./common-options.ts";

const SHORT = connectionOptions({ timeoutMs: 10_000 });
const DEVICE_OPTION: OptionSpec = {
  name: "device",
  kind: "text",
  value: "id",
  description: "Id of the device, or the first 6 characters of it",
  required: true,
};
const ROLE_OPTION: OptionSpec = {
  name: "role",
  kind: "text",
  value: "role",
  description: "operator or node",
  required: true,
};
const requestArgument = (required: boolean) =>
  ({
    name: "requestId",
    description: "Id of the request, or the first 6 characters of it",
    required,
  }) as const;

export const devicesCommands: CommandSpec = {
  name: "devices",
  summary: "see devices, pair them, handle their tokens",
  examples: [
    { command: "devices list", says: "who asks and who is paired" },
    { command: "devices approve", says: "let the one that asks in" },
  ],
  defaultCommand: "list",
  commands: [
    {
      name: "list",
      summary: "list the devices that are paired and those that ask",
      examples: [{ command: "devices list", says: "with the ids that the other commands take" }],
      options: SHORT,
      load: () => import("../commands/devices-list.ts"),
    },
    {
      name: "approve",
      summary: "pair a device that asks",
      description:
        "Without an id, approves the only request there is. A node gets its declared commands with it: one decision is enough.",
      examples: [
        { command: "devices approve", says: "the only one that asks" },
        { command: "devices approve 6f1c2a", says: "the first characters of the id are enough" },
      ],
      arguments: [requestArgument(false)],
      options: [
        { name: "latest", kind: "flag", description: "Only show the newest request" },
        ...SHORT,
      ],
      load: () => import("../commands/devices-approve.ts"),
    },
    {
      name: "reject",
      summary: "turn a request down",
      examples: [{ command: "devices reject 6f1c2a", says: "the device may ask again" }],
      arguments: [requestArgument(true)],
      options: SHORT,
      load: () => import("../commands/devices-reject.ts"),
    },
    {
      name: "remove",
      summary: "unpair a device and end its connections",
      examples: [{ command: "devices remove 4c1f02", says: "it has to ask again" }],
      arguments: [
        {
          name: "deviceId",
          description: "Id of the device, or the first 6 characters of it",
          required: true,
        },
      ],
      options: SHORT,
      load: () => import("../commands/devices-remove.ts"),
    },
    {
      name: "rename",
      summary: "give a device another label",
      examples: [
        { command: "devices rename --device 4c1f02 --name laptop", says: "shown in lists" },
      ],
      options: [
        DEVICE_OPTION,
        { name: "name", kind: "text", value: "label", description: "The label", required: true },
        ...SHORT,
      ],
      load: () => import("../commands/devices-rename.ts"),
    },
    {
      name: "rotate",
      summary: "replace the token of a device",
      examples: [
        { command: "devices rotate --device 4c1f02 --role node", says: "the old token ends" },
      ],
      options: [
        DEVICE_OPTION,
        ROLE_OPTION,
        { name: "scope", kind: "list", value: "scope", description: "Scope of the new token" },
        { name: "no-scopes", kind: "flag", description: "A token without scopes" },
        ...SHORT,
      ],
      load: () => import("../commands/devices-rotate.ts"),
    },
    {
      name: "revoke",
      summary: "end the token of a device",
      examples: [
        { command: "devices revoke --device 4c1f02 --role node", says: "it stays paired" },
      ],
      options: [DEVICE_OPTION, ROLE_OPTION, ...SHORT],
      load: () => import("../commands/devices-revoke.ts"),
    },
  ],
};
