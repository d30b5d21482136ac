import type { CommandSpec } from "./command-spec.ts";
import { doctorCheckCommand } from "./doctor-check-command.ts";
import { doctorConnectCommand } from "./doctor-connect-command.ts";

export const doctorCommands: CommandSpec = {
  name: "doctor",
  summary: "find out what is wrong, and what to type",
  defaultCommand: "check",
  examples: [
    { command: "doctor", says: "what is wrong on this machine" },
    { command: "doctor --fix", says: "and the changes that can be taken back" },
    { command: "doctor connect", says: "why commands do not get to the Gateway" },
  ],
  commands: [doctorCheckCommand, doctorConnectCommand],
};
