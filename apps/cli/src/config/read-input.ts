import { readFile } from "node:fs/promises";
import { messageOf } from "@openclaw/app-kit";
import { usageError } from "../errors.ts";
import type { CommandContext } from "../program/command-context.ts";

/** No config is longer. */
const MAX_CHARS = 2_000_000;

/**
 * A text from a file, or with `-` from stdin.
 *
 * @throws {CliError} `cli_error` when it cannot be read or is too long
 */
export async function readInput({ io }: CommandContext, path: string): Promise<string> {
  let text = "";
  try {
    if (path !== "-") text = await readFile(path, "utf8");
    else {
      for await (const chunk of io.stdin?.() ?? []) {
        text += String(chunk);
        if (text.length > MAX_CHARS) break;
      }
    }
  } catch (error) {
    throw usageError(`${path} cannot be read: ${messageOf(error)}`);
  }
  if (text.length > MAX_CHARS) throw usageError(`${path} is longer than any config.`);
  return text;
}
