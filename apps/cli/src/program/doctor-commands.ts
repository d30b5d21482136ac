import type { CommandSpec } from "./command-spec.ts";
import { doctorConnectCommand } from "./doctor-connect-command.ts";

export const doctorCommands: CommandSpec = {
  name: "doctor",
  summary: "find out what is wrong, and what to type",
  examples: [{ command: "doctor connect", says: "why commands do not get to the Gateway" }],
  commands: [doctorConnectCommand],
};
