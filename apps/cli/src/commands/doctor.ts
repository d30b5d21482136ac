import type { CommandContext } from "../program/command-context.ts";

/** `openclaw doctor`. */
export async function run(context: CommandContext): Promise<number> {
  const { runDoctor } = await import("../doctor/run-doctor.ts");
  return runDoctor(context);
}
