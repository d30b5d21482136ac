import type { CommandSpec } from "./command-spec.ts";
import { connectionOptions } from "./common-options.ts";

export const logsCommand: CommandSpec = {
  name: "logs",
  summary: "show the Gateway's log, also of a Gateway elsewhere",
  description:
    "Asks the Gateway itself. Where the Gateway of this machine is down, its log file is read. With --follow it goes on until Ctrl-C, over restarts of the Gateway and new files.",
  examples: [
    { command: "logs", says: "the last 200 lines" },
    { command: "logs --follow --local-time", says: "as they come, on the clock of this machine" },
    { command: "logs --json --limit 1000", says: "for scripts: one object a line" },
  ],
  options: [
    { name: "follow", kind: "flag", short: "f", description: "Go on with new lines" },
    {
      name: "limit",
      kind: "integer",
      value: "lines",
      default: 200,
      description: "Lines to begin with, at most 5000",
    },
    {
      name: "max-bytes",
      kind: "integer",
      value: "bytes",
      default: 250_000,
      description: "Bytes of one answer, at most 1000000",
    },
    {
      name: "interval",
      kind: "integer",
      value: "ms",
      default: 1_000,
      description: "Between two looks, with --follow",
    },
    { name: "plain", kind: "flag", description: "No colours" },
    { name: "local-time", kind: "flag", description: "Times on the clock of this machine" },
    { name: "utc", kind: "flag", description: "Times in UTC" },
    { name: "expect-final", kind: "flag", description: "Has no effect here", hidden: true },
    ...connectionOptions({ timeoutMs: 10_000, port: true }).map((option) =>
      option.name === "json"
        ? { ...option, description: "One JSON object a line: meta, log, raw, notice" }
        : option,
    ),
  ],
  toleratesBrokenConfig: true,
  load: () => import("../commands/logs.ts"),
};
