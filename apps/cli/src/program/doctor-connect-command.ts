import type { CommandSpec } from "./command-spec.ts";
import { connectionOptions, JSON_OPTION, NODE_OPTION } from "./common-options.ts";

const connection = connectionOptions({ timeoutMs: 5_000, port: true }).filter(
  ({ name }) => name !== "timeout" && name !== "json",
);

/** A member of the group `doctor`. */
export const doctorConnectCommand: CommandSpec = {
  name: "connect",
  summary: "walk the way to a Gateway and name the first broken link",
  description:
    "Target, name, route, SSH, forward, TLS, WebSocket, challenge, credential, pairing, scope, node, command: each is shown as it is passed. The first that is broken is told with a stable code, what was seen, and the one thing to type. Without a target it walks where commands go. Exit 1 when a link is broken.",
  examples: [
    { command: "doctor connect", says: "where commands go now" },
    { command: "doctor connect me@box", says: "a Gateway behind SSH" },
    { command: "doctor connect wss://gateway.example --token <token>", says: "by its URL" },
    {
      command: "doctor connect --node laptop --command system.run",
      says: "as far as a command on a node; it does not run",
    },
    { command: "doctor connect --json", says: "one document, for a script" },
  ],
  arguments: [
    {
      name: "target",
      description: "SSH target, alias or Gateway URL; else the configured Gateway",
      completes: "ssh-host",
    },
  ],
  options: [
    ...connection,
    {
      name: "remote-port",
      kind: "integer",
      value: "port",
      description: "Port of the Gateway behind an SSH target (18789)",
    },
    { ...NODE_OPTION, required: false },
    {
      name: "command",
      kind: "text",
      value: "name",
      description: "Also whether the node may be asked for this command",
    },
    {
      name: "origin",
      kind: "text",
      value: "url",
      description: "Ask for the WebSocket as a page of this origin would",
    },
    {
      name: "cli-path",
      kind: "text",
      value: "path",
      description: "The program behind SSH, or its file for node",
    },
    {
      name: "project-root",
      kind: "text",
      value: "path",
      description: "A checkout behind SSH that has the program",
    },
    {
      name: "timeout",
      kind: "integer",
      value: "ms",
      default: 5_000,
      description: "Time for everything together",
    },
    JSON_OPTION,
  ],
  toleratesBrokenConfig: true,
  load: () => import("../commands/doctor-connect.ts"),
};
