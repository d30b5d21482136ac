import type { CommandSpec } from "./command-spec.ts";
import { JSON_OPTION } from "./common-options.ts";

/** The checks of this machine: what the group does when it is called bare. */
export const doctorCheckCommand: CommandSpec = {
  name: "check",
  summary: "look at config, state, services and the Gateway of this machine",
  description:
    "Each finding has a stable code, what was seen, and one thing to do. Nothing is changed without --fix, --yes or an answer at the terminal, and each change says how to take it back. The exit code is 0 whatever is found; with --lint it is 1 when something is.",
  examples: [
    { command: "doctor", says: "what is wrong and what to do; at a terminal it offers each fix" },
    { command: "doctor --fix --yes", says: "make every change that can be taken back" },
    { command: "doctor --lint --severity-min warn", says: "for a scheduled job" },
    { command: "doctor --only config --json", says: "one group of checks, as a document" },
    { command: "doctor --undo-migration", says: "put state back to where it was before" },
  ],
  options: [
    { name: "fix", kind: "flag", description: "Make the changes that can be taken back" },
    { name: "repair", kind: "flag", description: "The same as --fix" },
    { name: "yes", kind: "flag", short: "y", description: "The same, and ask nothing" },
    {
      name: "force",
      kind: "flag",
      description: "Also replace or remove service files that somebody may have made by hand",
    },
    { name: "non-interactive", kind: "flag", description: "Ask nothing, also at a terminal" },
    {
      name: "generate-gateway-token",
      kind: "flag",
      description: "Write a random token to the config where the Gateway has no secret",
    },
    {
      name: "undo-migration",
      kind: "flag",
      description: "Take back what was moved from places of earlier releases, and look no further",
    },
    {
      name: "deep",
      kind: "flag",
      description: "Also look into the system's service folders, and wait longer for the Gateway",
    },
    {
      name: "lint",
      kind: "flag",
      description: "Change and ask nothing; exit 1 when something is found",
    },
    { name: "only", kind: "list", value: "id", description: "Only these codes or groups" },
    { name: "skip", kind: "list", value: "id", description: "Not these codes or groups" },
    {
      name: "severity-min",
      kind: "text",
      value: "level",
      choices: ["info", "warn", "error"],
      default: "info",
      description: "Leave out what matters less",
    },
    {
      name: "no-workspace-suggestions",
      kind: "flag",
      hidden: true,
      description: "Has no effect here",
    },
    JSON_OPTION,
  ],
  toleratesBrokenConfig: true,
  load: () => import("../commands/doctor.ts"),
};
