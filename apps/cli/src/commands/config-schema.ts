import { loadConfigJsonSchema } from "@openclaw/config";
import type { CommandContext } from "../program/command-context.ts";

/** `openclaw config schema`: a JSON Schema, for editors. */
export async function run(context: CommandContext): Promise<number> {
  const schema = await loadConfigJsonSchema();
  context.answer(schema, () => JSON.stringify(schema, undefined, 2));
  return 0;
}
